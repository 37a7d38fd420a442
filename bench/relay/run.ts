/** Rounds of all loads through all relays, one after the other in each round, so that what else the machine does meets them alike. */
import type { Progress } from '../progress.ts';
import type { Results } from '../report/results.ts';
import { startOn } from './ground.ts';
import { measureIdle } from './idle.ts';
import { LOADS, type Load, type LoadName, measure } from './measure.ts';
import type { RelayKind } from './relays/contender.ts';
import { NONE, RELAYS } from './relays/kinds.ts';
import { TRANSPORTS, type Transport } from './transports.ts';

export interface RelayRun {
  readonly rounds: number;
  readonly durationMs: number;
  readonly transports: readonly Transport[];
  readonly loads: readonly LoadName[];
  /** Numbers of connections, growing; none: idle ones are not measured. */
  readonly idle: readonly number[];
  readonly relays: readonly RelayKind[];
  readonly signal: AbortSignal;
}

/** To start and stop one with its peers and its load, and to warm up. */
const START_MS = 1_100;

/** Those of the names that are there. */
export function relaysHere(names: readonly string[]): RelayKind[] {
  return RELAYS.filter(({ name, missing }) => names.includes(name) && missing() === undefined);
}

/** What is left out of those that were asked for, and why. */
export function leftOut(names: readonly string[]): string[] {
  return RELAYS.filter(({ name }) => names.includes(name)).flatMap(({ name, missing }) => {
    const reason = missing();
    return reason === undefined ? [] : [`${name}: ${reason}`];
  });
}

const canCarry = ({ transports, maxConnections = Number.POSITIVE_INFINITY }: RelayKind, on: Transport, most: number) =>
  (transports?.includes(on) ?? true) && maxConnections >= most;

async function measureOnce(kind: RelayKind, transport: Transport, load: Load, durationMs: number) {
  await using stack = new AsyncDisposableStack();
  return await measure(await startOn(kind, transport, stack), load, durationMs);
}

interface Step {
  readonly what: string;
  readonly plannedMs: number;
  readonly run: (round: number) => Promise<void>;
}

function loadSteps({ loads, relays, durationMs, signal }: RelayRun, transport: Transport, results: Results): Step[] {
  return LOADS.filter(({ name }) => loads.includes(name)).map((load) => {
    const able = relays.filter((kind) => canCarry(kind, transport, load.connections));
    const run = async (round: number) => {
      for (const kind of able) {
        signal.throwIfAborted();
        const sample = await measureOnce(kind, transport, load, durationMs);
        results.add({ transport, load: load.name }, kind.name, round, sample);
      }
    };
    const what = `${load.title}, ${TRANSPORTS[transport].title}`;
    return { what, plannedMs: able.length * (START_MS + durationMs), run };
  });
}

/** Each with as many as it can have. */
function idleStep({ idle, relays, durationMs, signal }: RelayRun, transport: Transport, results: Results): Step {
  const able = relays.filter((kind) => kind.name !== NONE && canCarry(kind, transport, 0));
  const run = async (round: number) => {
    for (const kind of able) {
      signal.throwIfAborted();
      const counts = idle.filter((count) => canCarry(kind, transport, count));
      for (const each of await measureIdle(kind, transport, counts, durationMs)) {
        const sample = { residentMb: each.residentBytes / 1e6, idleCpuMsPerSecond: each.cpuMsPerSecond };
        results.add({ transport, load: `idle-${each.connections}` }, kind.name, round, sample);
      }
    }
  };
  const what = `idle connections, ${TRANSPORTS[transport].title}`;
  return { what, plannedMs: able.length * (START_MS + idle.length * durationMs + (idle.at(-1) ?? 0) / 5), run };
}

/** Plans at once, and measures when it is called. */
export function planRelays(run: RelayRun, results: Results, progress: Progress): () => Promise<void> {
  const steps = run.transports.flatMap((transport) => [
    ...loadSteps(run, transport, results),
    ...(run.idle.length > 0 ? [idleStep(run, transport, results)] : []),
  ]);
  progress.plan(run.rounds * steps.reduce((sum, { plannedMs }) => sum + plannedMs, 0));
  return async () => {
    for (let round = 0; round < run.rounds; round++) {
      for (const step of steps) {
        run.signal.throwIfAborted();
        progress.step(`round ${round + 1} of ${run.rounds}: ${step.what}`, step.plannedMs);
        await step.run(round);
      }
    }
  };
}
