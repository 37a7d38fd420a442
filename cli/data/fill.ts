/**
 * Fills the column beside, pass by pass over the rows that it lacks, while applications go on. All that it knows is in the table, so that
 * it may be ended anywhere. The reader and the writer are one session.
 */
import type { Clock } from '../../runtime/clock.ts';
import { CliError } from '../errors.ts';
import type { Connection } from './connection.ts';
import { type PageLimits, Pages } from './page.ts';
import type { Progress, Throttle } from './progress.ts';
import type { Sessions } from './sessions.ts';
import { FILL_COLUMNS, type Filling, type RefusedRow, restCondition, store } from './store.ts';
import type { Key } from './table.ts';

/** More of them, and it is not the rows. */
const MAX_REFUSED = 1_000;

export interface FillContext {
  readonly filling: Filling;
  readonly limits: PageLimits;
  readonly sessions: Sessions<Connection>;
  readonly clock: Clock;
  readonly progress: Progress;
  readonly throttle: Throttle;
  readonly signal: AbortSignal;
}

export interface Filled {
  readonly read: number;
  readonly stored: number;
  readonly changed: number;
  readonly refused: readonly RefusedRow[];
}

export const pagesToFill = ({ filling, limits }: Pick<FillContext, 'filling' | 'limits'>) =>
  new Pages({ table: filling.table, columns: FILL_COLUMNS(filling), condition: restCondition(filling.table) }, limits);

/** @throws CliError CLI_DATA_DIFFERS, CLI_DATA_ROWS, CLI_DATABASE; the signal's reason, behind a batch */
export async function fillPass(context: FillContext): Promise<Filled> {
  const { filling, sessions, progress, throttle, signal } = context;
  const pages = pagesToFill(context);
  const filled = { read: 0, stored: 0, changed: 0, refused: [] as RefusedRow[] };
  let after: Key | undefined;
  do {
    signal.throwIfAborted();
    const { page, result } = await sessions.use(async (connection) => {
      const read = await pages.read(connection, after);
      const stored = read.rows.length > 0 ? await store(filling, connection, read.rows) : undefined;
      return { page: read, result: stored };
    });
    after = page.next;
    filled.read += page.rows.length;
    filled.stored += result?.stored ?? 0;
    filled.changed += result?.changed ?? 0;
    filled.refused.push(...(result?.refused ?? []));
    progress.add(result?.stored ?? 0);
    if (filled.refused.length > MAX_REFUSED) {
      const states = [...new Set(filled.refused.map(({ sqlState }) => sqlState))].join(', ');
      throw new CliError('CLI_DATA_ROWS', 'too many rows cannot be encrypted', { found: states });
    }
    await throttle.after(page.rows.length, signal);
  } while (after !== undefined);
  return filled;
}

/** What may be left for the lock to stand behind. */
const MAX_PASSES = 50;

/** @returns of all passes; the refused rows are those of the last */
export async function fill(context: FillContext): Promise<Filled> {
  let sum: Filled = { read: 0, stored: 0, changed: 0, refused: [] };
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const { read, stored, changed, refused } = await fillPass(context);
    sum = { read: sum.read + read, stored: sum.stored + stored, changed: sum.changed + changed, refused };
    if (refused.length > 0 || read <= context.limits.maxRows) break;
  }
  return sum;
}
