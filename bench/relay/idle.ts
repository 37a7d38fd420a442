/** What idle connections cost a relay: resident memory, and processor time while nothing happens. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuMs, residentBytes, startScript } from '../program.ts';
import type { RelayKind, Transport } from './relays/start.ts';

export interface Idle {
  readonly connections: number;
  readonly residentBytes: number;
  readonly cpuMsPerSecond: number;
}

const WATCHED_MS = 1_000;

/** @param counts growing. @returns undefined where the relay is not installed */
export async function measureIdle(
  kind: RelayKind,
  transport: Transport,
  counts: readonly number[],
  watchedMs = WATCHED_MS,
): Promise<Idle[] | undefined> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'ae-bench-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const echoPeer = startScript(
    'relay/loads/echo.ts',
    transport === 'tcp' ? 'tcp://127.0.0.1:0' : `unix://${folder}/peer`,
  );
  stack.defer(() => echoPeer.stop());
  const echo = await echoPeer.line();
  const contender = await kind.start({ transport, folder, peers: { bulk: echo, echo } });
  if (!contender) return undefined;
  for (const program of contender.programs) stack.defer(() => program.stop());
  const load = startScript('relay/loads/idle.ts', contender.echo);
  stack.defer(() => load.stop());
  const all: Idle[] = [];
  for (const [index, connections] of counts.entries()) {
    load.write(`${connections - (counts[index - 1] ?? 0)}\n`);
    await load.line();
    const before = cpuMs(contender.programs);
    await new Promise((resolve) => setTimeout(resolve, watchedMs));
    const cpuMsPerSecond = ((cpuMs(contender.programs) - before) * 1_000) / Math.max(1, watchedMs);
    all.push({ connections, residentBytes: residentBytes(contender.programs), cpuMsPerSecond });
  }
  return all;
}
