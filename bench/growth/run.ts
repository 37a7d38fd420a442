/** One run of a load with readings at regular points of it; its beginning and its end are read when no session is there. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Counts, type Unit } from './counts.ts';
import { type Pids, type Readings, readingsOf, settled } from './readings.ts';

export interface Sample {
  /** In the run's unit. */
  readonly x: number;
  readonly readings: Readings;
}

export interface Run {
  readonly unit: Unit;
  readonly minutes: number;
  readonly counts: Counts;
  readonly before: Readings;
  readonly after: Readings;
  readonly samples: readonly Sample[];
}

/** @param goesOn asked before each statement, session or connection */
export type Load = (counts: Counts, goesOn: () => boolean) => Promise<void>;

export interface RunPlan {
  readonly unit: Unit;
  readonly count: number;
  readonly loads: readonly Load[];
  readonly pids: () => Pids;
  /** To hold the end against; undefined: as it is when nothing changes any more. */
  readonly before?: Readings;
  /** Ends it early; what there is then, is told. */
  readonly signal: AbortSignal;
}

const SAMPLES = 100;
const LOOK_MS = 250;

/** @param onSample what there is so far, at each reading */
export async function run(plan: RunPlan, onSample?: (soFar: Run) => void): Promise<Run> {
  const { unit, count, loads, pids, signal } = plan;
  const before = plan.before ?? (await settled(pids));
  const counts = new Counts();
  const startedMs = performance.now();
  const minutes = () => (performance.now() - startedMs) / 60_000;
  const done = () => (unit === 'minutes' ? minutes() : counts[unit]);
  let isOver = false;
  const all = loads.map((load) => load(counts, () => done() < count && !signal.aborted));
  const loaded = Promise.all(all).finally(() => {
    isOver = true;
  });
  const samples: Sample[] = [];
  while (!isOver) {
    if (done() >= (samples.length * count) / SAMPLES) {
      const sample = { x: done(), readings: readingsOf(pids()) };
      samples.push(sample);
      onSample?.({ unit, minutes: minutes(), counts, before, after: sample.readings, samples });
    }
    await sleep(LOOK_MS);
  }
  await loaded;
  const took = minutes();
  return { unit, minutes: took, counts, before, after: await settled(pids, before), samples };
}
