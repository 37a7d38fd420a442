/** The whole product for an integration test, gone when the test ends; a failed test prints where its logs were. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test as TapTest } from 'tap';
import { locateAcraServer } from '../../acra/obtain/locate.ts';
import type { AcraProgram } from '../../acra/obtain/program.ts';
import { userCacheFolder } from '../../cli/cache-folder.ts';
import type { EnclavePair } from '../../cli/demo/enclave-pair.ts';
import type { StackOptions } from '../../cli/demo/stack.ts';
import { Stack } from '../../cli/demo/stack.ts';
import { STAND_IN_COMMAND } from '../../emulator/acra-server/command.ts';
import type { HostStatus } from '../../host-proxy/operator/host-status.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { DATABASE_PACKAGE } from './database-package.ts';
import { DATABASE_TEMPLATES } from './database-templates.ts';
import { wholeLines } from './whole-lines.ts';

/** No single step of a test takes longer; a hang shows as an error that names the state. */
const STEP_TIMEOUT_MS = 60_000;
export const step = () => AbortSignal.timeout(STEP_TIMEOUT_MS);

export function acraUnderTest(): Promise<AcraProgram> {
  return locateAcraServer({
    environment: process.env,
    cacheFolder: userCacheFolder(process.env, 'acra-server'),
    standIn: STAND_IN_COMMAND,
  });
}

export async function prepareStack(t: TapTest, options: Partial<StackOptions> = {}): Promise<Stack> {
  const root = mkdtempSync(join(tmpdir(), 'ae-'));
  const acraProgram = await acraUnderTest();
  t.comment(`acra-server under test: ${acraProgram.description}`);
  const stack = await Stack.prepare({
    root,
    acraProgram,
    databaseTemplates: DATABASE_TEMPLATES,
    databasePackage: DATABASE_PACKAGE,
    signal: step(),
    ...options,
  });
  t.teardown(async () => {
    await stack.stop();
    if (!t.passing())
      for (const name of ['supervisor', 'host-proxy']) t.comment(tail(join(root, 'logs', `${name}.log`)));
    rmSync(root, { recursive: true, force: true, maxRetries: 3 });
  });
  return stack;
}

function tail(file: string): string {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(-40).join('\n');
  } catch {
    return '';
  }
}

export interface ServingStack {
  readonly stack: Stack;
  readonly address: TcpEndpoint;
}

/** Boots one enclave to the point where it serves. */
export async function servingStack(t: TapTest, options: Partial<StackOptions> = {}): Promise<ServingStack> {
  const stack = await prepareStack(t, options);
  await stack.allowMeasuredEnclave();
  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  return { stack, address: await stack.enclave.untilServing(step()) };
}

/** Boots a pair that is expected to fail, and returns what host-proxy then says of it. */
export async function failedBoot(pair: EnclavePair): Promise<HostStatus> {
  await pair.startHostProxy();
  const supervisor = pair.startSupervisor();
  const status = await pair.until((seen) => seen.enclave?.state === 'failed', step());
  await supervisor.exited;
  return status;
}

export interface LogLine extends Record<string, unknown> {
  readonly event: string;
}

/** The JSON records of a daemon's log file. */
export function logLines(pair: EnclavePair, daemon: 'supervisor' | 'host-proxy'): LogLine[] {
  const file = daemon === 'supervisor' ? pair.supervisor?.logFile : pair.hostProxy?.logFile;
  if (file === undefined) return [];
  return wholeLines(file)
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as LogLine);
}

/** acra-server ends TLS itself, and every session goes through it. */
export const IN_LINE: Partial<StackOptions> = { enclaveSettings: { ingress: { tls: 'passthrough' } } };

type ChildKind = 'acra' | 'guard' | 'front';

/** The pids of the programs of one kind that the supervisor has launched, in order. */
export function launchedPids(pair: EnclavePair, kind: ChildKind): number[] {
  return logLines(pair, 'supervisor')
    .filter(({ event, child }) => event === 'child.launched' && String(child).startsWith(kind))
    .map(({ pid }) => Number(pid));
}

export function childPid(pair: EnclavePair, kind: ChildKind): number {
  return launchedPids(pair, kind).at(-1) ?? 0;
}

/** The pid of the acra-server that the supervisor launched last. */
export function acraPid(pair: EnclavePair): number {
  return childPid(pair, 'acra');
}
