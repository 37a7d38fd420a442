/** What the parent knows about its enclave: only what the enclave last said, and when. */

import type { Clock } from '../../runtime/clock.ts';
import type {
  BootPhase,
  EnclaveMessage,
  EnclaveState,
  EnclaveStatus,
  IdentitiesMessage,
} from '../../wire/control/messages.ts';

export type Hello = Extract<EnclaveMessage, { type: 'hello' }>;
export type Measurements = Extract<EnclaveMessage, { type: 'measurements' }>;
export type EnclaveMetrics = Extract<EnclaveMessage, { type: 'metrics' }>;

export interface LogTally {
  readonly received: number;
  /** As counted by the enclave: records that its buffer could not keep. */
  readonly dropped: number;
}

/** The enclave dials again within 2 s (its control connection's longest back-off). */
const DISCONNECT_GRACE_MS = 2_500;

export class EnclaveView {
  readonly #clock: Clock;
  readonly #staleMs: number;
  #heardMs: number | undefined;
  #disconnectedMs: number | undefined;
  #connected = false;
  /** Only where somebody watches the machine itself (`acra-enclave run`). */
  #machineEnded = false;
  #subscribers: (() => void)[] = [];
  hello: Hello | undefined;
  status: EnclaveStatus | undefined;
  measurements: Measurements | undefined;
  #metrics: EnclaveMetrics | undefined;
  #identities: IdentitiesMessage | undefined;
  /** Of the boot that was heard of last. */
  boot: readonly BootPhase[] = [];
  logs: LogTally = { received: 0, dropped: 0 };

  constructor(clock: Clock, staleMs: number) {
    this.#clock = clock;
    this.#staleMs = staleMs;
  }

  /** Every message counts as a sign of life. */
  heard(): void {
    this.#heardMs = this.#clock.monotonicMs();
  }

  changed(): void {
    for (const notify of this.#subscribers) notify();
  }

  /** @returns ends the subscription. */
  subscribe(notify: () => void): () => void {
    this.#subscribers = [...this.#subscribers, notify];
    return () => {
      this.#subscribers = this.#subscribers.filter((other) => other !== notify);
    };
  }

  /** A new machine: what an earlier one said is no longer true. */
  machineStarted(): void {
    this.#machineEnded = false;
    this.hello = undefined;
    this.forgetBoot();
    this.changed();
  }

  /** The machine is known to be gone, whatever was heard of it last. */
  machineEnded(): void {
    this.#machineEnded = true;
    this.changed();
  }

  /** What was heard of one boot does not hold for the next. */
  forgetBoot(): void {
    this.measurements = undefined;
    this.#metrics = undefined;
    this.#identities = undefined;
    this.boot = [];
    this.status = undefined;
  }

  get stale(): boolean {
    return this.#heardMs === undefined || this.#clock.monotonicMs() - this.#heardMs > this.#staleMs;
  }

  /** Its numbers, while they can still be true: the last ones of a dead enclave would look like a living one's. */
  get metrics(): EnclaveMetrics | undefined {
    return this.#isAway() ? undefined : this.#metrics;
  }

  set metrics(metrics: EnclaveMetrics) {
    this.#metrics = metrics;
  }

  /** The same holds for them. */
  get identities(): IdentitiesMessage | undefined {
    return this.#isAway() ? undefined : this.#identities;
  }

  set identities(identities: IdentitiesMessage) {
    this.#identities = identities;
  }

  /** Since its last sign of life; undefined before the first. */
  get silentMs(): number | undefined {
    return this.#heardMs === undefined ? undefined : this.#clock.monotonicMs() - this.#heardMs;
  }

  get connected(): boolean {
    return this.#connected;
  }

  set connected(connected: boolean) {
    this.#connected = connected;
    this.#disconnectedMs = connected ? undefined : this.#clock.monotonicMs();
  }

  /** `unknown` until an enclave has spoken; `lost` when it stays away without having said that it ended. */
  get state(): EnclaveState | 'unknown' | 'lost' {
    if (!this.status) return this.#machineEnded ? 'lost' : 'unknown';
    const { state } = this.status;
    if (state === 'failed' || state === 'stopped') return state;
    return this.#isAway() ? 'lost' : state;
  }

  get serving(): boolean {
    return this.state === 'serving';
  }

  #isAway(): boolean {
    return this.#machineEnded || this.stale || this.#isGone();
  }

  /** A connection that comes back within the grace was a passing cut, not the end of the enclave. */
  #isGone(): boolean {
    return this.#disconnectedMs !== undefined && this.#clock.monotonicMs() - this.#disconnectedMs > DISCONNECT_GRACE_MS;
  }
}
