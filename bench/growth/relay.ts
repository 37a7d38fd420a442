/** The relay alone, in a process of its own, and connections through it that ask for one byte and end (bench/relay/). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startScript } from '../program.ts';
import type { Contender } from '../relay/relays/contender.ts';
import { OURS, RELAYS } from '../relay/relays/kinds.ts';
import type { Load } from './run.ts';

const SLICE_MS = 250;

export async function startRelay(stops: AsyncDisposableStack): Promise<Contender> {
  const folder = mkdtempSync(join(tmpdir(), 'ag-'));
  stops.defer(() => rmSync(folder, { recursive: true, force: true }));
  const echo = startScript('relay/loads/echo.ts', 'tcp://127.0.0.1:0');
  stops.defer(() => echo.stop());
  const peer = await echo.line();
  const ours = RELAYS.find(({ name }) => name === OURS);
  const contender = await ours?.start({ transport: 'tcp', folder, peers: { bulk: peer, echo: peer } });
  if (!contender) throw new Error('no relay of ours');
  for (const program of contender.programs) stops.defer(() => program.stop());
  return contender;
}

async function slice(echo: string): Promise<number> {
  const program = startScript('relay/loads/set-up.ts', echo, String(SLICE_MS));
  await program.line();
  program.write('\n');
  const told: { readonly connections: number } = JSON.parse(await program.line());
  await program.ended();
  return told.connections;
}

/** Slice by slice, each in a process of its own, whose warm-up is not counted. */
export const connections =
  ({ echo }: Contender): Load =>
  async (counts, goesOn) => {
    while (goesOn()) {
      try {
        counts.connections += await slice(echo);
      } catch (error) {
        // Ctrl-C in a terminal ends it too.
        if (goesOn()) throw error;
      }
    }
  };
