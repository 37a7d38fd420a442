/** What idle connections cost: memory of the relay's process, and round-trip time of an active connection beside them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Program } from './program.ts';
import { startProgram, startScript } from './program.ts';

export interface IdleReport {
  readonly connections: number;
  readonly rssBeforeBytes: number;
  readonly rssBytes: number;
  readonly microsBefore: number;
  readonly micros: number;
}

const POLL_MS = 50;

const PING_MS = 300;

/** The best of a few medians: where the scheduler puts the three processes matters more than the relay does. */
async function roundTripMicros(port: string, rounds: number): Promise<number> {
  const medians: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const ping = startScript('load-peer.ts', 'ping', port, String(PING_MS));
    medians.push(Number.parseFloat(await ping.line()));
    await ping.ended();
  }
  return Math.min(...medians);
}

/** The relay as the daemons run it: with a compile cache, so that Node's type stripper does not stay in memory. */
function startRelay(cacheFolder: string, holdPort: string, echoPort: string) {
  const script = new URL('idle-relay.ts', import.meta.url).pathname;
  const env = { ...process.env, NODE_COMPILE_CACHE: cacheFolder };
  return startProgram(process.execPath, [script, holdPort, echoPort], env);
}

/** Held as well, but not measured: what V8's compilers take for code that gets hot is no connection's. */
export const WARM_UP_CONNECTIONS = 1000;

/** @param pingRounds of round-trip measurements, before and beside the idle connections; 0: none */
export async function measureIdle(connections: number, pingRounds: number): Promise<IdleReport> {
  await using stack = new AsyncDisposableStack();
  const start = (program: Program) => {
    stack.defer(() => program.stop());
    return program;
  };
  const cacheFolder = mkdtempSync(join(tmpdir(), 'ae-bench-'));
  stack.defer(() => rmSync(cacheFolder, { recursive: true, force: true }));
  const hold = start(startScript('idle-peer.ts', 'hold'));
  const echo = start(startScript('load-peer.ts', 'echo'));
  const ports = [await hold.line(), await echo.line()] as const;
  const warmUp = start(startRelay(cacheFolder, ...ports));
  await warmUp.line();
  await warmUp.ended();
  const relay = start(startRelay(cacheFolder, ...ports));
  const report = async () => {
    relay.write('report\n');
    return JSON.parse(await relay.line()) as { opened: number; rssBytes: number };
  };
  const idlePort = await relay.line();
  const activePort = await relay.line();
  const microsBefore = await roundTripMicros(activePort, pingRounds);
  const open = async (count: number, total: number) => {
    await start(startScript('idle-peer.ts', 'open', idlePort, String(count))).line();
    while ((await report()).opened < total) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  };
  await open(WARM_UP_CONNECTIONS, WARM_UP_CONNECTIONS);
  const rssBeforeBytes = (await report()).rssBytes;
  await open(connections, WARM_UP_CONNECTIONS + connections);
  const micros = await roundTripMicros(activePort, pingRounds);
  return { connections, rssBeforeBytes, rssBytes: (await report()).rssBytes, microsBefore, micros };
}
