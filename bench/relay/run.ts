/** Rounds of all loads through all relays, one after the other in each round, so that what else the machine does meets them alike. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startScript } from '../program.ts';
import { tell } from '../progress.ts';
import type { Results } from '../report/results.ts';
import { LOADS, type LoadName, measure } from './measure.ts';
import { type Peers, RELAYS, type RelayKind, type Transport } from './relays/start.ts';

export interface RelayRun {
  readonly rounds: number;
  readonly durationMs: number;
  readonly transports: readonly Transport[];
  readonly loads: readonly LoadName[];
  /** Default: all that are installed. */
  readonly relays?: readonly string[];
}

/** A relay that forks needs a process for each. */
const MANY: readonly LoadName[] = ['ping-1000'];

async function startPeers(transport: Transport, folder: string, stack: AsyncDisposableStack): Promise<Peers> {
  const start = async (file: string, ...args: string[]) => {
    const program = startScript(
      file,
      ...args,
      transport === 'tcp' ? 'tcp://127.0.0.1:0' : `unix://${folder}/peer-${args[0] ?? 'echo'}`,
    );
    stack.defer(() => program.stop());
    return program.line();
  };
  return { bulk: await start('relay/loads/bulk.ts', 'peer'), echo: await start('relay/loads/echo.ts') };
}

/** Each measurement has a relay of its own, so that nothing that one load leaves behind is the next one's. */
async function measureOnce(run: RelayRun, kind: RelayKind, transport: Transport, load: (typeof LOADS)[number]) {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'ae-bench-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const contender = await kind.start({ transport, folder, peers: await startPeers(transport, folder, stack) });
  if (!contender) return undefined;
  for (const program of contender.programs) stack.defer(() => program.stop());
  return await measure(contender, load, run.durationMs);
}

export async function runRelays(run: RelayRun, results: Results): Promise<void> {
  const kinds = RELAYS.filter(({ name }) => run.relays?.includes(name) ?? true);
  for (let round = 0; round < run.rounds; round++) {
    for (const transport of run.transports) {
      for (const load of LOADS.filter(({ name }) => run.loads.includes(name))) {
        tell(`round ${round + 1} of ${run.rounds}: ${transport}, ${load.title}`);
        for (const kind of kinds) {
          if (kind.forks && MANY.includes(load.name)) continue;
          const sample = await measureOnce(run, kind, transport, load);
          if (sample) results.add({ transport, load: load.name }, kind.name, round, sample);
        }
      }
    }
  }
}
