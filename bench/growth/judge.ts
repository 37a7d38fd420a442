/**
 * Whether a run is flat: the slope of resident memory over the second half of its readings below a limit, and no more descriptors, unix sockets
 * and threads behind it than before. Memory rises and falls between two collections of garbage; what leaks stays, so that of each few readings
 * the least counts. Memory of acra-server is told and not judged: it is not ours.
 */
import type { Unit } from './counts.ts';
import { THEIRS } from './readings.ts';
import type { Run } from './run.ts';
import { type Point, theilSen } from './slope.ts';

/** KiB for 1,000 of them; of minutes, in an hour. */
interface Scale {
  readonly per: number;
  readonly title: string;
  readonly limitKib: number;
  /** Of a shorter run the slope is told and not judged: a collection of garbage may be as far away as its end. */
  readonly least: number;
}

/** No object of V8 that is kept for each statement or connection is smaller than 16 bytes; a session that leaks leaks more than 80. */
export const SCALES: Readonly<Record<Unit, Scale>> = {
  statements: { per: 1_000, title: 'KiB for 1,000 statements', limitKib: 16, least: 100_000 },
  sessions: { per: 1_000, title: 'KiB for 1,000 sessions', limitKib: 80, least: 20_000 },
  connections: { per: 1_000, title: 'KiB for 1,000 connections', limitKib: 16, least: 20_000 },
  minutes: { per: 60, title: 'KiB in an hour', limitKib: 16 * 1024, least: 120 },
};

export interface Verdict {
  readonly process: string;
  /** In the unit of SCALES; undefined: it was started anew on the way, or there are too few readings. */
  readonly slopeKib: number | undefined;
  readonly isJudged: boolean;
  /** Undefined where nothing grows. */
  readonly fault: string | undefined;
}

/** The last reading is taken a little before the end. */
const LASTED = 0.98;
const EACH_FEW = 5;
const MIN_POINTS = 5;

/** Of each few neighbours the lowest. */
function lowest(points: readonly Point[]): Point[] {
  return Array.from({ length: Math.floor(points.length / EACH_FEW) }, (_, at) =>
    points.slice(at * EACH_FEW, (at + 1) * EACH_FEW).reduce((low, point) => (point.y < low.y ? point : low)),
  );
}

function slopeOf({ unit, samples }: Run, process: string): number | undefined {
  const half = samples.slice(Math.floor(samples.length / 2));
  const pid = half.at(-1)?.readings[process]?.pid;
  const points = half.flatMap(({ x, readings }) => {
    const reading = readings[process];
    return reading && reading.pid === pid ? [{ x, y: reading.residentKib }] : [];
  });
  const low = lowest(points);
  return low.length < MIN_POINTS ? undefined : SCALES[unit].per * theilSen(low);
}

function isJudged({ unit, samples }: Run, process: string): boolean {
  return process !== THEIRS && (samples.at(-1)?.x ?? 0) >= LASTED * SCALES[unit].least;
}

function faultOf(run: Run, process: string, slopeKib: number | undefined): string | undefined {
  const [before, after] = [run.before[process], run.after[process]];
  for (const what of ['descriptors', 'unixSockets', 'threads'] as const) {
    // Go starts threads for what blocks, and keeps them.
    if (what === 'threads' && process === THEIRS) continue;
    if ((after?.[what] ?? 0) > (before?.[what] ?? 0)) return `${after?.[what]} ${what}, before ${before?.[what]}`;
  }
  const { title, limitKib } = SCALES[run.unit];
  if (!isJudged(run, process) || slopeKib === undefined || slopeKib <= limitKib) return undefined;
  return `${slopeKib.toFixed(1)} ${title}, allowed ${limitKib}`;
}

export function judge(run: Run): Verdict[] {
  return Object.keys(run.before).map((process) => {
    const slopeKib = slopeOf(run, process);
    return { process, slopeKib, isJudged: isJudged(run, process), fault: faultOf(run, process, slopeKib) };
  });
}
