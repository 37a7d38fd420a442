/** The relay alone, in a process of its own, and connections through it that ask for one byte and end (bench/relay/). */
import { startScript } from '../program.ts';
import { startOn } from '../relay/ground.ts';
import type { Contender } from '../relay/relays/contender.ts';
import { OURS, RELAYS } from '../relay/relays/kinds.ts';
import type { Load } from './run.ts';

const SLICE_MS = 250;

export function startRelay(stops: AsyncDisposableStack): Promise<Contender> {
  const ours = RELAYS.find(({ name }) => name === OURS);
  if (!ours) throw new Error('no relay of ours');
  return startOn(ours, 'tcp', stops);
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
