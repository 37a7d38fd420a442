/** Starts a real PostgreSQL on the loopback interface for the demo and for tests, and stops it without a trace. */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../runtime/clock.ts';
import { systemClock } from '../../runtime/clock.ts';
import { errorCode } from '../../runtime/errors.ts';
import { EmulatorError } from '../errors.ts';
import { freePort } from '../free-port.ts';
import { clusterPaths, ensureCluster, serverSettings, writeStartFiles } from './cluster.ts';
import type { PostgresOptions } from './options.ts';
import { checkOptions } from './options.ts';
import { spawnUnprivileged } from './process.ts';
import type { PostgresPrograms } from './programs.ts';
import { findPrograms } from './programs.ts';

const HOST = '127.0.0.1';
/** The latter of a standby. */
const READY_LINE = /database system is ready to accept (read-only )?connections/;
const PORT_TAKEN_LINE = 'Address already in use';
const START_TIMEOUT_MS = 30_000;
/** How long a fast shutdown may take before it is made an immediate one, and that one a kill. */
const STOP_STEP_MS = 5_000;
const PORT_ATTEMPTS = 5;

export interface RunningPostgres {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly pid: number;
  readonly logFile: string;
  /** Fast shutdown: sessions are ended. Idempotent. */
  stop(): Promise<void>;
}

type StartResult = 'ready' | 'port-taken' | { readonly failed: string };

/** Synchronous, so that when the process has closed nothing is left to be written. */
function keepLog(child: ChildProcess, logFile: string): void {
  const log = openSync(logFile, 'a', 0o600);
  child.stderr?.on('data', (chunk) => writeSync(log, chunk));
  child.once('close', () => closeSync(log));
}

/** Watches the server's messages until they decide. */
function startResult(child: ChildProcess): Promise<StartResult> {
  return new Promise((resolve) => {
    let messages = '';
    child.stderr?.on('data', (chunk) => {
      messages = (messages + chunk).slice(-8192);
      if (READY_LINE.test(messages)) resolve('ready');
    });
    child.once('error', (error) => resolve({ failed: error.message }));
    child.once('close', () => resolve(messages.includes(PORT_TAKEN_LINE) ? 'port-taken' : { failed: messages.trim() }));
  });
}

async function within(clock: Clock, timeoutMs: number, signal: AbortSignal, result: Promise<StartResult>) {
  const timer = new AbortController();
  const late = clock
    .sleep(timeoutMs, AbortSignal.any([signal, timer.signal]))
    .then((): StartResult => ({ failed: `not ready after ${timeoutMs} ms` }));
  try {
    return await Promise.race([result, late]);
  } finally {
    timer.abort();
    late.catch(() => undefined);
  }
}

/** Asks ever more firmly until the process is gone. */
async function endProcess(child: ChildProcess, clock: Clock): Promise<void> {
  for (const kind of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const timer = new AbortController();
    const closed = once(child, 'close');
    child.kill(kind);
    await Promise.race([closed, clock.sleep(STOP_STEP_MS, timer.signal).catch(() => undefined)]);
    timer.abort();
  }
}

interface Launch {
  readonly programs: PostgresPrograms;
  readonly options: PostgresOptions;
  readonly clock: Clock;
  readonly logFile: string;
}

async function launch({ programs, options, clock, logFile }: Launch, port: number) {
  const settings = serverSettings(options, clusterPaths(options.folder), port).flatMap((setting) => ['-c', setting]);
  const command = { program: programs.postgres, args: ['-D', clusterPaths(options.folder).data, ...settings] };
  const child = await spawnUnprivileged(command, { folder: options.folder, libraryPath: programs.libraryPath });
  child.stdin?.on('error', () => undefined).end();
  keepLog(child, logFile);
  try {
    const result = await within(clock, START_TIMEOUT_MS, options.signal, startResult(child));
    if (result !== 'ready') await endProcess(child, clock);
    return { child, result };
  } catch (error) {
    await endProcess(child, clock);
    throw error;
  }
}

async function launchOnFreePort(context: Launch): Promise<{ child: ChildProcess; port: number }> {
  const fixedPort = context.options.port ?? 0;
  let failure = '';
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
    const port = fixedPort === 0 ? await freePort() : fixedPort;
    const { child, result } = await launch(context, port);
    if (result === 'ready') return { child, port };
    failure = result === 'port-taken' ? `port ${port} is taken` : result.failed;
    if (result !== 'port-taken' || fixedPort !== 0) break;
  }
  throw new EmulatorError('EMULATOR_POSTGRES_START', `PostgreSQL did not start; its log is ${context.logFile}`, {
    found: failure,
  });
}

/** Removes what was made here, and the folder when nothing else is in it. */
async function removeAll(folder: string, made: readonly string[]): Promise<void> {
  await Promise.all(made.map((path) => rm(path, { recursive: true, force: true, maxRetries: 3 })));
  await rmdir(folder).catch((error) => {
    if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'ENOENT') throw error;
  });
}

/**
 * @throws EmulatorError EMULATOR_POSTGRES_OPTIONS, EMULATOR_POSTGRES_BINARIES, EMULATOR_POSTGRES_PRIVILEGES,
 * EMULATOR_POSTGRES_SETUP, EMULATOR_POSTGRES_START; the signal's reason
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  checkOptions(options);
  const { folder, clock = systemClock } = options;
  const paths = clusterPaths(folder);
  const logFile = join(folder, 'postgres.log');
  const linkFolder = join(folder, 'lib');
  const programs = await findPrograms(linkFolder, options.packageFolder);
  const cleanUp = async () => {
    if (options.removeOnStop === true) await removeAll(folder, [...Object.values(paths), logFile, linkFolder]);
  };
  try {
    await ensureCluster(programs, options, paths);
    await writeStartFiles(options, paths);
    const { child, port } = await launchOnFreePort({ programs, options, clock, logFile });
    const stop = async () => {
      await endProcess(child, clock);
      await cleanUp();
    };
    return { host: HOST, port, database: options.database, pid: child.pid ?? 0, logFile, stop };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}
