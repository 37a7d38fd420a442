/** One table: what of a statement's cost is hops, TLS, guard and engine, from what was measured with and without each of them. */
import type { MeasureName } from '../report/measures.ts';
import type { Results } from '../report/results.ts';
import { BARE_POINT, type PointName } from './points.ts';

const STATEMENTS = ['untouched', 'protected'] as const;
const MEASURED = ['cpuUs', 'waitUs'] as const satisfies readonly MeasureName[];

interface Loss {
  readonly alone: number;
  readonly hops: number;
  readonly guard: number;
  readonly engine: number;
  readonly tls: number;
  readonly whole: number;
  readonly bare: number;
}

/**
 * The guard's step of an untouched statement is the guard's own; what the same step takes more for a protected one is the engine's: acra-server, the
 * way to it and back, and the guard's work on values.
 */
export function lossOf(results: Results, statement: (typeof STATEMENTS)[number], measure: MeasureName): Loss {
  const at = (point: PointName, of: string = statement) => results.summary({ statement: of }, point, measure).middle;
  const guardStep = (of: string) => at('guard', of) - at('way out', of);
  const guard = guardStep('untouched');
  return {
    alone: at('database'),
    hops: at('way out') - at('database') + at('way in') - at('front'),
    guard,
    engine: guardStep(statement) - guard,
    tls: at('front') - at('guard'),
    whole: at('way in'),
    bare: at(BARE_POINT),
  };
}

const ROWS: readonly (readonly [string, (loss: Loss) => number, isPart: boolean])[] = [
  ['client and PostgreSQL alone, by TLS', ({ alone }) => alone, false],
  ['hops: both ways in host-proxy and supervisor', ({ hops }) => hops, true],
  ['TLS of the client: the front', ({ tls }) => tls, true],
  ['guard: reads and judges statement and rows', ({ guard }) => guard, true],
  ['engine: acra-server, and the guard’s work for it', ({ engine }) => engine, true],
  ['all together: terminate, with guard', ({ whole }) => whole, false],
  ['bare acra-server, with client and PostgreSQL', ({ bare }) => bare, false],
  ['more than PostgreSQL alone', ({ whole, alone }) => whole - alone, false],
  ['more than bare acra-server', ({ whole, bare }) => whole - bare, false],
];

/** @returns Markdown; in brackets the share of what is more than PostgreSQL alone */
export function lossTable(results: Results): string {
  const losses = STATEMENTS.flatMap((statement) => MEASURED.map((measure) => lossOf(results, statement, measure)));
  const rows = ROWS.map(([what, of, isPart]) => {
    const cells = losses.map((loss) => {
      const share = isPart ? ` (${Math.round((100 * of(loss)) / (loss.whole - loss.alone))} %)` : '';
      return `${Math.round(of(loss))}${share}`;
    });
    return `| ${what} | ${cells.join(' | ')} |`;
  });
  return [
    `| what | ${STATEMENTS.flatMap((statement) => [`${statement}: µs of CPU`, `${statement}: µs waited`]).join(' | ')} |`,
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
