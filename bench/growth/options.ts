/** What a run for growth is asked for, checked before anything starts. */
import { numberOf, onlyFlags, UsageError, wholeNumberOf } from '../flags.ts';

export interface GrowthOptions {
  /** Of the three runs in turn; 0 leaves one out. */
  readonly statements: number;
  readonly sessions: number;
  readonly connections: number;
  /** Of the soak, which takes the place of the three. */
  readonly minutes?: number;
  /** Kept runs, in the place of new ones. */
  readonly from?: readonly string[];
  /** Into docs/. */
  readonly isWritten: boolean;
}

const OPTIONS = {
  statements: { type: 'string', default: '1000000' },
  sessions: { type: 'string', default: '100000' },
  connections: { type: 'string', default: '100000' },
  minutes: { type: 'string' },
  from: { type: 'string' },
  write: { type: 'boolean', default: false },
} as const;

const MAX_COUNT = 1_000_000_000;
/** A week. */
const MAX_MINUTES = 7 * 24 * 60;

/** @throws UsageError */
export function readGrowthOptions(args: readonly string[]): GrowthOptions {
  const values = onlyFlags(args, OPTIONS);
  const count = (name: 'statements' | 'sessions' | 'connections') => wholeNumberOf(name, values[name], 0, MAX_COUNT);
  const counts = { statements: count('statements'), sessions: count('sessions'), connections: count('connections') };
  const { minutes, from, write } = values;
  if (from === '') throw new UsageError('--from needs FILE[,FILE]: the .json files that runs have left in build/bench');
  if (minutes === undefined && from === undefined && Object.values(counts).every((each) => each === 0))
    throw new UsageError('all three are 0: nothing would run');
  const inMinutes = (value: number) => value > 0 && value <= MAX_MINUTES;
  return {
    ...counts,
    ...(minutes !== undefined && {
      minutes: numberOf('minutes', minutes, inMinutes, `a number above 0, up to ${MAX_MINUTES}`),
    }),
    ...(from !== undefined && { from: from.split(',') }),
    isWritten: write,
  };
}
