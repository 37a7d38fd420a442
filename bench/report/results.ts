/** All that one run has measured: by what was asked, who answered and which round. Written as CSV it is what everything else is made from. */
import type { Bar } from './bars.ts';
import { type MeasureName, type Summary, summarise } from './measures.ts';

/** What was measured, as words of the CSV. */
export type Subject = Readonly<Record<string, string>>;

export interface Row {
  readonly subject: Subject;
  readonly who: string;
  readonly round: number;
  readonly measure: MeasureName;
  readonly value: number;
}

const isSame = (a: Subject, b: Subject) => Object.entries(b).every(([key, value]) => a[key] === value);

export class Results {
  readonly #rows: Row[] = [];

  add(subject: Subject, who: string, round: number, sample: Readonly<Record<string, number>>): void {
    for (const [measure, value] of Object.entries(sample)) {
      this.#rows.push({ subject, who, round, measure: measure as MeasureName, value });
    }
  }

  /** Each once, in the order in which they were measured. */
  subjects(): Subject[] {
    const all = new Map(this.#rows.map(({ subject }) => [JSON.stringify(subject), subject]));
    return [...all.values()];
  }

  /** In the order in which they were measured. */
  whoIn(subject: Subject): string[] {
    return [...new Set(this.#rows.filter((row) => isSame(row.subject, subject)).map(({ who }) => who))];
  }

  values(subject: Subject, who: string, measure: MeasureName): number[] {
    return this.#rows
      .filter((row) => row.who === who && row.measure === measure && isSame(row.subject, subject))
      .map(({ value }) => value);
  }

  summary(subject: Subject, who: string, measure: MeasureName): Summary {
    return summarise(this.values(subject, who, measure));
  }

  /** Of all who were measured. @returns undefined where nobody was */
  bars(subject: Subject, measure: MeasureName): Bar[] | undefined {
    const all = this.whoIn(subject).map((name) => ({ name, ...this.summary(subject, name, measure) }));
    const bars = all.filter(({ middle }) => !Number.isNaN(middle));
    return bars.length > 0 ? bars : undefined;
  }

  csv(): string {
    const [first] = this.#rows;
    const keys = Object.keys(first?.subject ?? {});
    const lines = this.#rows.map(({ subject, who, round, measure, value }) =>
      [...keys.map((key) => subject[key]), who, round + 1, measure, value].map((cell) => `"${String(cell)}"`).join(','),
    );
    return [[...keys, 'who', 'round', 'measure', 'value'].join(','), ...lines, ''].join('\n');
  }
}
