/** What the commands have in common that go through a table: how fast they may, how long they wait, and what they work with. */
import type { Command } from 'commander';
import { systemClock } from '../../runtime/clock.ts';
import { systemRandom } from '../../runtime/random.ts';
import { parseCount } from '../option-values.ts';
import { progress } from '../output.ts';
import { Progress, Throttle } from './progress.ts';
import { Sessions, type SessionsOptions } from './sessions.ts';

export interface Pace {
  readonly batchRows: number;
  readonly batchKib: number;
  readonly rowsPerSecond?: number;
  /** Seconds. */
  readonly reconnect: number;
}

/** @param batch what it calls one */
export function paceOptions(command: Command, batch: 'statement' | 'page'): Command {
  return command
    .option('--batch-rows <rows>', `in one ${batch}`, parseCount(1, 10_000), 500)
    .option('--batch-kib <kib>', `of values in one ${batch}, where there are several`, parseCount(1, 16_384), 1_024)
    .option('--rows-per-second <rows>', 'at most; default: as fast as it goes', parseCount(1, 1_000_000))
    .option('--reconnect <s>', 'how long the enclave or the database may be away', parseCount(1, 86_400), 90);
}

const SECOND_MS = 1_000;

/** The caller renews the sessions when it ends. */
export function startAtPace<Session extends { end(): Promise<void> }>(
  { batchRows, batchKib, rowsPerSecond, reconnect }: Pace,
  open: SessionsOptions<Session>['open'],
  signal: AbortSignal,
) {
  const common = { clock: systemClock, signal };
  const patienceMs = reconnect * SECOND_MS;
  return {
    ...common,
    sessions: new Sessions({ ...common, open, patienceMs, random: systemRandom, told: progress }),
    limits: { maxRows: batchRows, maxBytes: batchKib * 1024 },
    progress: new Progress(systemClock, progress),
    throttle: new Throttle(systemClock, rowsPerSecond),
  };
}
