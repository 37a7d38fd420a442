/** Counts statements by plain additions, and tells the supervisor at most once a second, only when something has changed. */
import type { Work } from '../../acra/conversation/statement-watch.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type GuardCounts, noCounts } from './guard-counts.ts';

const INTERVAL_MS = 1_000;

/** What results counted by themselves. */
type Results = Pick<GuardCounts, 'containersElsewhere' | 'contradictedCells'>;

export class StatementCounts {
  readonly #clock: Clock;
  readonly #results: Results;
  readonly #tell: (counts: GuardCounts) => void;
  /** Who asks the engine adds to `values`. */
  readonly counts = noCounts();
  #isDue = false;

  constructor(clock: Clock, results: Results, tell: (counts: GuardCounts) => void) {
    this.#clock = clock;
    this.#results = results;
    this.#tell = tell;
  }

  finished({ kinds, verdict, refusal, spent }: Work): void {
    const { statements, refusals, spentMs } = this.counts;
    const byKind = statements[verdict];
    for (const kind of kinds) byKind[kind] += 1;
    if (refusal && kinds.length > 0) refusals[verdict === 'reported' ? 'reported' : 'refused'][refusal] += 1;
    spentMs.judge += spent.judge;
    spentMs.engine += spent.engine;
    spentMs.database += spent.database;
    if (!this.#isDue) this.#soon();
  }

  /** At the end: what has not been told yet. */
  flush(): void {
    const { containersElsewhere, contradictedCells } = this.#results;
    if (this.#isDue) this.#tell({ ...this.counts, containersElsewhere, contradictedCells });
    this.#isDue = false;
  }

  #soon(): void {
    this.#isDue = true;
    this.#clock.sleep(INTERVAL_MS, new AbortController().signal).then(
      () => this.flush(),
      () => undefined,
    );
  }
}
