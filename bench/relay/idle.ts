/** What idle connections cost a relay: resident memory, and processor time while nothing happens. */
import { setTimeout } from 'node:timers/promises';
import { cpuMs, residentBytes, startScript } from '../program.ts';
import { startOn } from './ground.ts';
import type { RelayKind } from './relays/contender.ts';
import type { Transport } from './transports.ts';

export interface Idle {
  readonly connections: number;
  readonly residentBytes: number;
  readonly cpuMsPerSecond: number;
}

/** @param counts growing */
export async function measureIdle(
  kind: RelayKind,
  transport: Transport,
  counts: readonly number[],
  watchedMs: number,
): Promise<Idle[]> {
  await using stack = new AsyncDisposableStack();
  const contender = await startOn(kind, transport, stack);
  const load = startScript('relay/loads/idle.ts', contender.echo);
  stack.defer(() => load.stop());
  const all: Idle[] = [];
  for (const [index, connections] of counts.entries()) {
    load.write(`${connections - (counts[index - 1] ?? 0)}\n`);
    await load.line();
    const before = cpuMs(contender.programs);
    await setTimeout(watchedMs);
    const cpuMsPerSecond = ((cpuMs(contender.programs) - before) * 1_000) / Math.max(1, watchedMs);
    all.push({ connections, residentBytes: residentBytes(contender.programs), cpuMsPerSecond });
  }
  return all;
}
