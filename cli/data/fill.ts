/**
 * Fills the column beside, pass by pass over the rows that it lacks, while applications go on. All that it knows is in the table, so that
 * it may be ended anywhere. The reader and the writer are one session.
 */
import type { Clock } from '../../runtime/clock.ts';
import { CliError } from '../errors.ts';
import { Caution, endsSession, PROTOCOL_VIOLATION } from './caution.ts';
import type { Connection } from './connection.ts';
import { type Page, type PageLimits, type PageQuery, Pages, readKey } from './page.ts';
import type { Progress, Throttle } from './progress.ts';
import type { Sessions } from './sessions.ts';
import { FILL_COLUMNS, type Filling, type RefusedRow, restCondition, type Stored, store } from './store.ts';
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

const queryOf = (filling: Filling): PageQuery => ({
  table: filling.table,
  columns: FILL_COLUMNS(filling),
  condition: restCondition(filling.table),
});

export const pagesToFill = ({ filling, limits }: Pick<FillContext, 'filling' | 'limits'>) =>
  new Pages(queryOf(filling), limits);

interface Step {
  /** Of rows that were read. */
  readonly rows: number;
  readonly next: Key | undefined;
  readonly result: Stored;
}

const NOTHING: Stored = { stored: 0, changed: 0, refused: [] };

/** One page of a pass after the other. */
class FillWalk {
  readonly #filling: Filling;
  readonly #pages: Pages;
  readonly #singles: Pages;
  readonly #caution = new Caution<'page' | 'row' | 'key'>(['page', 'row', 'key']);

  constructor({ filling, limits }: Pick<FillContext, 'filling' | 'limits'>) {
    this.#filling = filling;
    this.#pages = pagesToFill({ filling, limits });
    this.#singles = pagesToFill({ filling, limits: { ...limits, maxRows: 1 } });
  }

  async step(connection: Connection, after: Key | undefined): Promise<Step> {
    const { rows, next } = await this.#read(connection, after);
    const isNamed = this.#caution.way === 'key' && next !== undefined;
    const result = isNamed
      ? { ...NOTHING, refused: [{ key: next, sqlState: PROTOCOL_VIOLATION }] }
      : rows.length > 0
        ? await store(this.#filling, connection, rows)
        : NOTHING;
    this.#caution.passed();
    return { rows: rows.length, next, result };
  }

  /** @throws also where the session is to be made anew, and what failed is then gone about otherwise */
  async #read(connection: Connection, after: Key | undefined): Promise<Page> {
    const { way } = this.#caution;
    if (way === 'key') return readKey(queryOf(this.#filling), connection, after);
    try {
      return await (way === 'row' ? this.#singles : this.#pages).read(connection, after);
    } catch (error) {
      if (endsSession(error)) this.#caution.failed(this.#pages.maxRows);
      throw error;
    }
  }
}

/** @throws CliError CLI_DATA_DIFFERS, CLI_DATA_ROWS, CLI_DATABASE; the signal's reason, behind a batch */
export async function fillPass(context: FillContext): Promise<Filled> {
  const { sessions, progress, throttle, signal } = context;
  const walk = new FillWalk(context);
  const filled = { read: 0, stored: 0, changed: 0, refused: [] as RefusedRow[] };
  let after: Key | undefined;
  do {
    signal.throwIfAborted();
    const { rows, next, result } = await sessions.use((connection) => walk.step(connection, after));
    after = next;
    filled.read += rows;
    filled.stored += result.stored;
    filled.changed += result.changed;
    filled.refused.push(...result.refused);
    progress.add(result.stored);
    if (filled.refused.length > MAX_REFUSED) {
      const states = [...new Set(filled.refused.map(({ sqlState }) => sqlState))].join(', ');
      throw new CliError('CLI_DATA_ROWS', 'too many rows cannot be encrypted', { found: states });
    }
    await throttle.after(rows, signal);
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
