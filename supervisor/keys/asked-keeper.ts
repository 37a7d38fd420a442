/**
 * Knows when the keeper was asked last: the lease of what it gave begins then. The parent carries answers and may hold them back, and what is
 * in a set takes its time to be opened.
 */
import type { KeyKeeper } from '../../keys/keepers/keeper.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { OpenedSet, TakenKeys } from './take-set.ts';

export class AskedKeeper {
  readonly #keeper: Pick<KeyKeeper, 'open'>;
  readonly #clock: Clock;
  #askedMs: number;

  constructor(keeper: Pick<KeyKeeper, 'open'>, clock: Clock) {
    this.#keeper = keeper;
    this.#clock = clock;
    this.#askedMs = clock.monotonicMs();
  }

  readonly open: KeyKeeper['open'] = (set, signal) => {
    this.#askedMs = this.#clock.monotonicMs();
    return this.#keeper.open(set, signal);
  };

  /** @param opened with what it gave */
  gave(opened: OpenedSet): TakenKeys {
    return { ...opened, askedMs: this.#askedMs };
  }
}
