/** One ratio of a run, and the band in which it is expected (bench/expected.json). */
export interface Ratio {
  readonly name: string;
  readonly measured: number;
  readonly rounds: readonly number[];
}

export type Band = readonly [least: number, most: number];
export type Expected = Readonly<Record<string, Band>>;

export interface Verdict extends Ratio {
  readonly band: Band | undefined;
  readonly is: 'as expected' | 'dearer' | 'cheaper' | 'not expected' | 'not measured';
}

/** Each is our own cost divided by another's: more is dearer. A name without a band fails too, so that nothing is measured for nobody. */
export function judgeRatio(ratio: Ratio, expected: Expected): Verdict {
  const band = expected[ratio.name];
  if (!band) return { ...ratio, band, is: 'not expected' };
  if (!Number.isFinite(ratio.measured)) return { ...ratio, band, is: 'not measured' };
  const [least, most] = band;
  return { ...ratio, band, is: ratio.measured > most ? 'dearer' : ratio.measured < least ? 'cheaper' : 'as expected' };
}

export function tellVerdict({ name, measured, rounds, band, is }: Verdict): string {
  const each = rounds.map((round) => round.toFixed(2)).join(', ');
  const allowed = band ? `${band[0]} to ${band[1]}` : 'no band in bench/expected.json';
  return `${is === 'as expected' ? 'ok    ' : 'NOT OK'} ${name}: ${measured.toFixed(2)} (${each}); expected ${allowed}${is === 'as expected' ? '' : `: ${is}`}`;
}
