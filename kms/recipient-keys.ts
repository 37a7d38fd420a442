/**
 * The key pairs to which KMS encrypts its answers, for many requests: making one takes a tenth of a second of a core, so each serves for
 * a while, with an attestation document of its own for every request. Who takes one out of this process's memory later opens recorded
 * answers of that while only.
 */
import type { Clock } from '../runtime/clock.ts';
import type { RecipientKey } from './recipient.ts';
import { makeRecipientKey } from './recipient.ts';

const MAX_AGE_MS = 5 * 60 * 1000;
const MAX_USES = 1_000;

interface Current {
  readonly key: Promise<RecipientKey>;
  readonly madeMs: number;
  uses: number;
}

export class RecipientKeys {
  readonly #clock: Clock;
  #current: Current | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Of one request. */
  take(): Promise<RecipientKey> {
    const nowMs = this.#clock.monotonicMs();
    const last = this.#current;
    const isFit = last !== undefined && last.uses < MAX_USES && nowMs - last.madeMs < MAX_AGE_MS;
    const current = isFit ? last : this.#make(nowMs);
    current.uses += 1;
    return current.key;
  }

  forget(): void {
    this.#current = undefined;
  }

  #make(madeMs: number): Current {
    const made: Current = { key: makeRecipientKey(), madeMs, uses: 0 };
    this.#current = made;
    made.key.catch(() => {
      if (this.#current === made) this.#current = undefined;
    });
    return made;
  }
}
