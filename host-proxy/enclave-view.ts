/** What the parent knows about its enclave: only what the enclave last said, and when. */
import type { EnclaveMessage, EnclaveState, EnclaveStatus } from '../config/wire/messages.ts';
import type { Clock } from '../runtime/clock.ts';

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
  #subscribers: (() => void)[] = [];
  hello: Hello | undefined;
  status: EnclaveStatus | undefined;
  measurements: Measurements | undefined;
  metrics: EnclaveMetrics | undefined;
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

  subscribe(notify: () => void): void {
    this.#subscribers = [...this.#subscribers, notify];
  }

  get stale(): boolean {
    return this.#heardMs === undefined || this.#clock.monotonicMs() - this.#heardMs > this.#staleMs;
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
    if (!this.status) return 'unknown';
    const { state } = this.status;
    return state !== 'failed' && state !== 'stopped' && (this.stale || this.#isGone()) ? 'lost' : state;
  }

  get ready(): boolean {
    return this.state === 'serving';
  }

  /** A connection that comes back within the grace was a passing cut, not the end of the enclave. */
  #isGone(): boolean {
    return this.#disconnectedMs !== undefined && this.#clock.monotonicMs() - this.#disconnectedMs > DISCONNECT_GRACE_MS;
  }
}
