/**
 * Runs PostgreSQL's own pgbench against an address; it comes with Debian's `postgresql` package. It is asked for two hours, and ended by the signal
 * that its own timer would send, once all of its clients have been connected for as long as is wanted: what logging in costs is not in it, and
 * the time may be shorter than the second that pgbench counts in.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { APPLICATION, DATABASE } from '../../cli/demo/database.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { commandOf, familyOf } from '../proc.ts';
import { type CpuUs, readCpu, sinceUs } from './cpu.ts';
import type { Script } from './selects.ts';

export const PROTOCOLS = ['simple', 'prepared'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export function findPgbench(): string | undefined {
  const onPath = (process.env['PATH'] ?? '').split(':').map((folder) => join(folder, 'pgbench'));
  return [...onPath, ...globSync('/usr/lib/postgresql/*/bin/pgbench')].find((file) => existsSync(file));
}

export interface PgbenchRun {
  readonly pgbench: string;
  readonly stack: Stack;
  readonly address: TcpEndpoint;
  /** The acra-server that is on the way. */
  readonly acraPid: number | undefined;
  /** Default: what a client of the enclave has. For the database itself: the authority of its certificate, and settings of the session. */
  readonly database?: { readonly options: string };
  readonly script: Script;
  readonly protocol: Protocol;
  readonly clients: number;
  readonly seconds: number;
  /** Transactions a second that are asked for; default: as many as go. */
  readonly rate?: number;
  readonly signal: AbortSignal;
}

export interface Rate {
  /** A second. */
  readonly transactions: number;
  /** The mean, from when a transaction was due. */
  readonly latencyMs: number;
  /** Of each process, a transaction. */
  readonly cpuUs: CpuUs;
}

const TURN_MS = 5;
const CONNECT_MS = 30_000;
/** Longer than anybody waits: the signal comes first. */
const TIME_SECONDS = 7_200;
const MAX_SECONDS = 3_600;

/** Sessions of the application that the database has let in; its processes say so themselves. */
function sessionCount({ parts }: Stack): number {
  const titles = familyOf(parts.postgres.pid).map(commandOf);
  const isSession = (title: string) => title.includes(`: ${APPLICATION.user} ${DATABASE} `);
  return titles.filter((title) => isSession(title) && !/authentication|startup/.test(title)).length;
}

async function untilCount(isEnough: () => boolean, limitMs: number, signal: AbortSignal): Promise<boolean> {
  const endMs = performance.now() + limitMs;
  while (performance.now() < endMs) {
    if (isEnough()) return true;
    await setTimeout(TURN_MS, undefined, { signal });
  }
  return false;
}

function argumentsOf(run: PgbenchRun): string[] {
  const { stack, script, protocol, clients, rate } = run;
  const file = join(stack.options.root, `${script.name}.sql`);
  writeFileSync(file, script.text);
  // Without parameters pgbench puts the text itself into the statement.
  const quote = protocol === 'simple' ? "'" : '';
  const defined = Object.entries(script.variables ?? {}).flatMap(([variable, value]) => [
    '--define',
    `${variable}=${quote}${value}${quote}`,
  ]);
  return [
    ...['--no-vacuum', '--file', file, ...defined, '--protocol', protocol, '--client', String(clients)],
    ...(rate === undefined ? [] : ['--rate', String(rate)]),
    ...['--jobs', '1', '--time', String(TIME_SECONDS), DATABASE],
  ];
}

function environmentOf({ stack, address, database }: PgbenchRun): NodeJS.ProcessEnv {
  const { clientFiles } = stack.parts;
  return {
    PGHOST: address.host,
    PGPORT: String(address.port),
    PGUSER: APPLICATION.user,
    PGPASSWORD: APPLICATION.password,
    PGSSLMODE: 'verify-ca',
    PGSSLROOTCERT: database ? clientFiles.databaseCa : clientFiles.applicationCa,
    PGOPTIONS: database?.options ?? '',
    PGSSLCERT: clientFiles.certificate,
    PGSSLKEY: clientFiles.key,
    PGCHANNELBINDING: 'disable',
    PGGSSENCMODE: 'disable',
  };
}

/** @returns µs of each process in every second, of those in which all clients ask */
async function watch(run: PgbenchRun, child: ChildProcess): Promise<CpuUs> {
  const { stack, acraPid = 0, clients, seconds, signal } = run;
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  await untilCount(() => hasEnded() || sessionCount(stack) >= clients, CONNECT_MS, signal);
  const read = () => readCpu(stack, acraPid, child.pid ?? 0);
  const [startedMs, before] = [performance.now(), read()];
  await setTimeout(1_000 * seconds, undefined, { signal });
  const tookMs = performance.now() - startedMs;
  return sinceUs(before, read(), tookMs / 1_000);
}

/** @returns undefined where nothing was done in that time */
async function runOnce(run: PgbenchRun): Promise<Rate | undefined> {
  const { pgbench, stack, signal } = run;
  // Those of the run before may still be ending.
  await untilCount(() => sessionCount(stack) === 0, 1_000, signal);
  const child = spawn(pgbench, argumentsOf(run), { env: environmentOf(run), stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  const output = Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  // Whatever happens to the watching, nothing goes on before pgbench has ended.
  const watched = watch(run, child).finally(() => child.kill(signal.aborted ? 'SIGKILL' : 'SIGALRM'));
  const [perSecond, told] = await Promise.allSettled([watched, output, ended]);
  signal.throwIfAborted();
  if (perSecond.status === 'rejected') throw perSecond.reason;
  const [stdout, stderr] = told.status === 'fulfilled' ? told.value : ['', ''];
  const count = /^number of transactions actually processed: (\d+)/m.exec(stdout)?.[1];
  if (count === '0') return undefined;
  const rate = /^tps = ([\d.]+)/m.exec(stdout)?.[1];
  const latency = /^latency average = ([\d.]+) ms/m.exec(stdout)?.[1];
  if (!count || !rate || !latency) throw new Error(`pgbench told no rate:\n${stdout}${stderr}`);
  const transactions = Number(rate);
  return { transactions, latencyMs: Number(latency), cpuUs: sinceUs(undefined, perSecond.value, transactions) };
}

/** On a busy machine a short time may pass without a transaction: then it is a longer one. */
export async function runPgbench(run: PgbenchRun): Promise<Rate> {
  for (let { seconds } = run; seconds <= MAX_SECONDS; seconds *= 4) {
    const rate = await runOnce({ ...run, seconds });
    if (rate) return rate;
  }
  throw new Error(`no transaction was done in ${MAX_SECONDS} s`);
}
