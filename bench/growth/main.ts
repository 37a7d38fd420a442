/**
 * Whether anything grows: the whole chain under a million statements, then under 100,000 sessions that come and go, then the relay alone under
 * 100,000 connections; resident memory, descriptors, unix sockets and threads of each process at a hundred points of each.
 *
 *   node bench/growth/main.ts [--statements 1000000] [--sessions 100000] [--connections 100000] [--write]
 *   node bench/growth/main.ts --minutes 240 [--write]     the soak: both loads at once, with kills of acra-server and of the database's backends
 *   node bench/growth/main.ts --from FILE[,FILE] --write  the page's part from runs that were kept
 *
 * Ends with 1 where something grows. Ctrl-C ends a run early, and what it has is told. Writes build/bench/growth.csv (growth-soak.csv), and .json
 * beside it; with --write its part of docs/performance.md and the charts.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import type { AcraProgram } from '../../acra/obtain/program.ts';
import { acraUnderTest } from '../../test/support/stack.ts';
import { UsageError } from '../flags.ts';
import { interruptSignal } from '../interrupt.ts';
import { tell } from '../progress.ts';
import { machineFacts, measuredOn } from '../report/machine.ts';
import { nameAcraServer, textForTerminal, writeParts } from '../report/page.ts';
import { startGround } from './ground.ts';
import { type Kept, keep, readKept } from './kept.ts';
import { kills } from './load/kills.ts';
import { comingSessions, steadySessions } from './load/lanes.ts';
import { type GrowthOptions, readGrowthOptions } from './options.ts';
import type { Readings } from './readings.ts';
import { connections, startRelay } from './relay.ts';
import { csvOf, growthReport } from './report.ts';
import { type Run, type RunPlan, run } from './run.ts';

const options = optionsOrEnd();
const isSoak = options.minutes !== undefined;
const NAME = `build/bench/growth${isSoak ? '-soak' : ''}`;
/** Until code is compiled and pools are filled. */
const WARM_UP = { statements: 20_000, sessions: 2_000, connections: 20_000 } as const;

const stop = interruptSignal();

const KEPT_JSON = `${NAME}.json`;

function optionsOrEnd(): GrowthOptions {
  try {
    return readGrowthOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}

/** Writes what there is each time that there is more. */
class Book {
  readonly head: string;
  readonly acraServer: string;
  readonly runs: Run[] = [];

  constructor(head: string, acraServer: string) {
    this.head = head;
    this.acraServer = acraServer;
  }

  async add(plan: Omit<RunPlan, 'signal'>): Promise<Run> {
    const save = (soFar: Run) => keep(KEPT_JSON, { ...this, runs: [...this.runs, soFar] });
    const done = await run({ ...plan, signal: stop }, (soFar) => {
      tellProgress(plan, soFar);
      save(soFar);
    });
    save(done);
    this.runs.push(done);
    return done;
  }
}

function tellProgress({ unit, count }: Omit<RunPlan, 'signal'>, { samples, minutes }: Run): void {
  const { x = 0, readings = {} } = samples.at(-1) ?? {};
  const words = (value: number) => Math.round(value).toLocaleString('en');
  const memory = Object.entries(readings).map(([name, { residentKib }]) => `${name} ${words(residentKib / 1024)}`);
  tell(`${words(x)} of ${words(count)} ${unit} in ${minutes.toFixed(1)} minutes; resident MiB: ${memory.join(', ')}`);
}

function warmUp(plan: Omit<RunPlan, 'signal'>): Promise<Run> {
  tell(`warming up: ${plan.count.toLocaleString('en')} ${plan.unit}`);
  return run({ ...plan, signal: stop });
}

async function runChain(book: Book, acraProgram: AcraProgram): Promise<void> {
  const units = (['statements', 'sessions'] as const).filter((unit) => isSoak || options[unit] > 0);
  if (units.length === 0) return;
  await using stops = new AsyncDisposableStack();
  const ground = await startGround(acraProgram, stops);
  const { pids } = ground;
  const loads = { statements: [steadySessions(ground.comers)], sessions: [comingSessions(ground.comers)] };
  let before: Readings | undefined;
  for (const unit of units) {
    const warm = { unit, count: WARM_UP[unit], loads: loads[unit], pids, ...(before && { before }) };
    ({ after: before } = await warmUp(warm));
  }
  if (!before || stop.aborted) return;
  if (options.minutes !== undefined) {
    const all = [...loads.statements, ...loads.sessions, kills(ground)];
    await book.add({ unit: 'minutes', count: options.minutes, loads: all, pids, before });
    return;
  }
  for (const unit of units) {
    if (stop.aborted) return;
    ({ after: before } = await book.add({ unit, count: options[unit], loads: loads[unit], pids, before }));
  }
}

async function runRelay(book: Book): Promise<void> {
  const { connections: count } = options;
  if (isSoak || count === 0 || stop.aborted) return;
  await using stops = new AsyncDisposableStack();
  const contender = await startRelay(stops);
  const [program] = contender.programs;
  const plan = {
    unit: 'connections',
    loads: [connections(contender)],
    pids: () => ({ relay: program?.pid ?? 0 }),
  } as const;
  const { after } = await warmUp({ ...plan, count: WARM_UP.connections });
  await book.add({ ...plan, count, before: after });
}

async function measured(): Promise<Kept> {
  const acraProgram = await acraUnderTest();
  const acraServer = nameAcraServer(acraProgram.description);
  const head = measuredOn(machineFacts({}), acraServer);
  const book = new Book(head, acraServer);
  tell(head);
  await runChain(book, acraProgram);
  await runRelay(book);
  return book;
}

function kept(files: readonly string[]): Kept {
  const all = files.map(readKept);
  const { head = '', acraServer = '' } = all[0] ?? {};
  return { head, acraServer, runs: all.flatMap(({ runs }) => runs) };
}

const all = options.from === undefined ? await measured() : kept(options.from);
mkdirSync('build/bench', { recursive: true });
writeFileSync(`${NAME}.csv`, csvOf(all.runs));
const { part, faults } = growthReport(all);
console.log(textForTerminal(part));
if (options.isWritten && all.runs.length > 0)
  for (const name of writeParts([part], false))
    console.error(`left as it is, for it tells of the real acra-server: ${name}`);
for (const fault of faults) console.error(`grows: ${fault}`);
process.exitCode = faults.length > 0 || all.runs.length === 0 ? 1 : 0;
