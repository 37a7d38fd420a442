/** One load through one relay: what the load counted, and the processor time that the relay took meanwhile. */
import { cpuMs, startScript } from '../program.ts';
import type { Contender } from './relays/contender.ts';

export type LoadName = 'one-way' | 'both-ways' | 'ping-1' | 'ping-64' | 'ping-1000' | 'set-up';

/** By the name of the measure (MEASURES). */
export type Sample = Readonly<Record<string, number>>;

export interface Load {
  readonly name: LoadName;
  /** At once. */
  readonly connections: number;
  readonly title: string;
  readonly arguments: (contender: Contender, durationMs: number) => readonly [string, ...string[]];
  /** What is told of it. @param cpu ms of the relay */
  readonly sample: (told: Sample, cpu: number) => Sample;
}

function bulk(name: 'one-way' | 'both-ways', title: string): Load {
  return {
    name,
    connections: 1,
    title,
    arguments: ({ bulk: endpoint }, durationMs) => ['relay/loads/bulk.ts', name, endpoint, String(durationMs)],
    sample: ({ gigabits = Number.NaN, gibibytes = Number.NaN }, cpu) => ({ gigabits, cpuMsPerGib: cpu / gibibytes }),
  };
}

function ping(connections: 1 | 64 | 1000): Load {
  const many = connections === 1 ? 'one connection' : `${connections.toLocaleString('en')} connections`;
  return {
    name: `ping-${connections}`,
    connections,
    title: `round trips of 100 bytes on ${many}`,
    arguments: ({ echo }, durationMs) => ['relay/loads/ping.ts', echo, String(connections), String(durationMs)],
    sample: ({ trips = Number.NaN, ...took }, cpu) => ({ ...took, cpuUsPerTrip: (1_000 * cpu) / trips }),
  };
}

export const LOADS: readonly Load[] = [
  bulk('one-way', 'as many bytes as go through, one way'),
  bulk('both-ways', 'as many bytes as go through, both ways on one connection'),
  ping(1),
  ping(64),
  ping(1000),
  {
    name: 'set-up',
    connections: 16,
    title: 'connections that ask for one byte and end, 16 at once',
    arguments: ({ echo }, durationMs) => ['relay/loads/set-up.ts', echo, String(durationMs)],
    sample: ({ connections = Number.NaN, perSecond = Number.NaN }, cpu) => ({
      perSecond,
      cpuUsPerConnection: (1_000 * cpu) / connections,
    }),
  },
];

export async function measure(contender: Contender, load: Load, durationMs: number): Promise<Sample> {
  await using stack = new AsyncDisposableStack();
  const [file, ...rest] = load.arguments(contender, durationMs);
  const program = startScript(file, ...rest);
  stack.defer(() => program.stop());
  await program.line();
  const before = cpuMs(contender.programs);
  program.write('\n');
  const told = JSON.parse(await program.line()) as Sample;
  const cpu = cpuMs(contender.programs) - before;
  await program.ended();
  return load.sample(told, cpu);
}
