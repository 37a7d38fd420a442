/** By how much counters grew within a time, as Prometheus' `increase()` has it but for the extrapolation: what went back began anew at 0. */

/** Points nearer to each other are one: what is kept of a counter is bounded. */
const STEP_MS = 10_000;
/** Labels are the enclave's words, which may be others each time; of a metric no more series than MAX_SERIES (wire/metrics.ts) are told at once. */
const MAX_COUNTERS = 1_000;

interface Counted {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface History {
  readonly labels: Readonly<Record<string, string>>;
  last: number;
  /** Growth that was seen in a step. */
  steps: { readonly atMs: number; grew: number }[];
}

export class Growth {
  readonly #withinMs: number;
  /** What was not seen for longest comes first. */
  readonly #histories = new Map<string, History>();

  constructor(withinMs: number) {
    this.#withinMs = withinMs;
  }

  /**
   * One that is not seen any more has grown as it had, unless too many others came since.
   * @param nowMs monotonic
   * @param areNewOnesNew whether one that is seen for the first time began at 0 since the last time; else nobody knows when it grew, and it has not
   */
  by(label: readonly string[], counters: readonly Counted[], nowMs: number, areNewOnesNew = false): Counted[] {
    for (const counter of counters) this.#follow(counter, nowMs, areNewOnesNew);
    this.#forgetOldest();
    const groups = Map.groupBy(this.#grown(nowMs), ({ labels }) =>
      JSON.stringify(label.map((name) => labels[name] ?? '')),
    );
    return [...groups.values()].map((of) => ({
      labels: Object.fromEntries(label.map((name) => [name, of[0]?.labels[name] ?? ''])),
      value: of.reduce((sum, { value }) => sum + value, 0),
    }));
  }

  #follow({ labels, value }: Counted, nowMs: number, isNew: boolean): void {
    const key = JSON.stringify(Object.entries(labels).sort());
    const history = this.#histories.get(key) ?? { labels, last: isNew ? 0 : value, steps: [] };
    this.#histories.delete(key);
    this.#histories.set(key, history);
    const grew = value >= history.last ? value - history.last : value;
    history.last = value;
    if (grew === 0) return;
    const step = history.steps.at(-1);
    if (step !== undefined && nowMs - step.atMs < STEP_MS) step.grew += grew;
    else history.steps.push({ atMs: nowMs, grew });
  }

  #forgetOldest(): void {
    for (const key of this.#histories.keys()) {
      if (this.#histories.size <= MAX_COUNTERS) return;
      this.#histories.delete(key);
    }
  }

  #grown(nowMs: number): Counted[] {
    return [...this.#histories.values()].map((history) => {
      history.steps = history.steps.filter(({ atMs }) => nowMs - atMs <= this.#withinMs);
      return { labels: history.labels, value: history.steps.reduce((sum, { grew }) => sum + grew, 0) };
    });
  }
}
