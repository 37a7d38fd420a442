/**
 * The long form (docs/fuzzing.md): so many cases in all, divided among the properties by their shares, with progress, and a table at
 * the end. Ends with 1 where something was found; what was found names the input, and the seed that leads to it.
 *
 *   FUZZ_CASES    in all; 5,000,000
 *   FUZZ_SEED     of the first cases of each property; 1
 *   FUZZ_ONLY     a part of the name of the parsers, or of the properties, that are wanted; all
 *   FUZZ_MINUTES  after which no more are begun; 60
 */
import { env, exit, resourceUsage, stderr, stdout, version } from 'node:process';
import type { Fuzzer } from '../support/fuzz.ts';
import { FUZZERS } from './all.ts';

/** Of one round, of a property with a whole share. Each round has a seed of its own: the next one. */
const ROUND_CASES = 2_000;
const PROGRESS_MS = 5_000;
const MS_PER_MINUTE = 60_000;

interface Row {
  readonly parser: string;
  cases: number;
  seconds: number;
  slowestMs: number;
  findings: number;
}

function numberIn(name: string, byDefault: number): number {
  const number = Number((env[name] || String(byDefault)).replaceAll(/[_,]/g, ''));
  if (Number.isSafeInteger(number) && number >= 0) return number;
  stderr.write(`${name} is no number: ${env[name]}\n`);
  return exit(64);
}

const only = env['FUZZ_ONLY'] ?? '';
const fuzzers = FUZZERS.filter(({ parser, name }) => `${parser}: ${name}`.includes(only));
const all = numberIn('FUZZ_CASES', 5_000_000);
const seed = numberIn('FUZZ_SEED', 1);
const shares = fuzzers.reduce((sum, { share }) => sum + share, 0);
const startMs = performance.now();
const endMs = startMs + numberIn('FUZZ_MINUTES', 60) * MS_PER_MINUTE;
const rows = new Map<string, Row>();
let done = 0;
let toldMs = startMs;

const shown = (count: number) => count.toLocaleString('en-US');
const secondsSince = (ms: number) => (performance.now() - ms) / 1_000;

function tellProgress(at: string): void {
  if (performance.now() - toldMs < PROGRESS_MS) return;
  toldMs = performance.now();
  stderr.write(`${shown(done)} of ${shown(all)} cases, ${Math.round(secondsSince(startMs))} s: ${at}\n`);
}

interface Work {
  readonly fuzzer: Fuzzer;
  readonly row: Row;
  left: number;
}

function workOf(fuzzer: Fuzzer): Work {
  const { parser, share } = fuzzer;
  const row = rows.get(parser) ?? { parser, cases: 0, seconds: 0, slowestMs: 0, findings: 0 };
  rows.set(parser, row);
  return { fuzzer, row, left: Math.ceil((all * share) / shares) };
}

async function goOn(work: Work, round: number): Promise<void> {
  const { fuzzer, row } = work;
  const { parser, name, share } = fuzzer;
  const beganMs = performance.now();
  const wanted = Math.min(work.left, Math.ceil(ROUND_CASES * share));
  const { cases, slowestMs, finding } = await fuzzer.run(seed + round, wanted);
  work.left = finding === undefined ? work.left - wanted : 0;
  row.cases += cases;
  done += cases;
  row.slowestMs = Math.max(row.slowestMs, slowestMs);
  row.seconds += secondsSince(beganMs);
  tellProgress(`${parser}: ${name}`);
  if (finding === undefined) return;
  row.findings += 1;
  stderr.write(`\nFOUND in ${parser}: ${name}\nFUZZ_SEED=${seed + round} FUZZ_ONLY='${name}'\n${finding}\n\n`);
}

/** In turns, so that none is left out where time runs out. */
const works = fuzzers.map(workOf);
for (let round = 0; works.some(({ left }) => left > 0) && performance.now() < endMs; round += 1)
  for (const work of works) if (work.left > 0) await goOn(work, round);

const line = (...cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |\n`;
stdout.write(
  line('parser', 'cases', 'seconds', 'slowest case, ms', 'findings') + line('---', '---', '---', '---', '---'),
);
for (const { parser, cases, seconds, slowestMs, findings } of rows.values())
  stdout.write(line(parser, shown(cases), Math.round(seconds), Math.ceil(slowestMs), findings));
const findings = [...rows.values()].reduce((sum, row) => sum + row.findings, 0);
stdout.write(line('all', shown(done), Math.round(secondsSince(startMs)), '', findings));
stdout.write(`Node ${version}, seed ${seed}, at most ${Math.round(resourceUsage().maxRSS / 1024)} MiB\n`);
if (done < all) stdout.write(`not all: FUZZ_MINUTES had passed, or something was found\n`);
exit(findings > 0 || fuzzers.length === 0 ? 1 : 0);
