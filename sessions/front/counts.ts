/** What the front counts, told to its supervisor at most once a second, and only when something has changed. */
import type { Clock } from '../../runtime/clock.ts';
import type { FrontCounts } from '../messages.ts';
import { type AttestationOutcome, byOutcome } from './attestation/outcomes.ts';
import { byReason, type RefusalReason } from './refused.ts';

const INTERVAL_MS = 1_000;

type Counted = Pick<FrontCounts, 'refused' | 'attestations'>;

export class Counts {
  readonly #clock: Clock;
  readonly #tell: (counted: Counted) => void;
  readonly #refused = byReason(() => 0);
  readonly #attestations = byOutcome(() => 0);
  readonly #stopping = new AbortController();
  #isDue = false;

  /** @param tell sends what is true then */
  constructor(clock: Clock, tell: (counted: Counted) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  refused(reason: RefusalReason): void {
    this.#refused[reason] += 1;
    this.changed();
  }

  attestation(outcome: AttestationOutcome): void {
    this.#attestations[outcome] += 1;
    this.changed();
  }

  changed(): void {
    if (this.#isDue || this.#stopping.signal.aborted) return;
    this.#isDue = true;
    this.#clock.sleep(INTERVAL_MS, this.#stopping.signal).then(
      () => {
        this.#isDue = false;
        this.#tell({ refused: { ...this.#refused }, attestations: { ...this.#attestations } });
      },
      () => undefined,
    );
  }

  /** Leaves no timer behind. */
  stop(): void {
    this.#stopping.abort();
  }
}
