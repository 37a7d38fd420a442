/**
 * The switch (decision 21): under a lock that nobody else passes, the last rows are filled and the columns change their names, all or
 * nothing. Applications stand behind that lock while it is waited for, so that it is waited for shortly, and again later.
 */

import { tableName } from '../../acra/migration/names.ts';
import { switchDefinitions } from '../../acra/migration/switch-statements.ts';
import { CliError } from '../errors.ts';
import { endsSession } from './caution.ts';
import { type Connection, rowsOf, run } from './connection.ts';
import { failureOf, LOCK_NOT_AVAILABLE, sqlStateOf } from './failures.ts';
import { type FillContext, type Filled, fillPass, pagesToFill } from './fill.ts';
import { type RefusedRow, restCondition, store } from './store.ts';
import { from, type Key } from './table.ts';

export interface SwitchOptions {
  readonly isRequired: boolean;
  readonly lockTimeoutMs: number;
  /** Of all tries together. */
  readonly patienceMs: number;
  readonly told: (text: string) => void;
}

export type Switched =
  | { readonly outcome: 'switched'; readonly tries: number; readonly underLock: number; readonly lockedMs: number }
  | { readonly outcome: 'refused'; readonly refused: readonly RefusedRow[] };

/** What is done under the lock, in batches that many, before it is given back for another pass. */
const MAX_BATCHES = 4;
/** Whoever holds the lock and does not go on loses it. */
const MAX_HOLD_MS = 20_000;

type Attempt =
  | { readonly kind: 'done'; readonly underLock: number; readonly lockedMs: number }
  | { readonly kind: 'busy' | 'too-much-left' }
  | { readonly kind: 'refused'; readonly refused: readonly RefusedRow[] };

async function fillRest(context: FillContext, connection: Connection): Promise<Attempt | number> {
  const pages = pagesToFill(context);
  let [after, stored] = [undefined as Key | undefined, 0];
  for (let batch = 0; batch < MAX_BATCHES; batch += 1) {
    const page = await pages.read(connection, after);
    const result = page.rows.length > 0 ? await store(context.filling, connection, page.rows, true) : undefined;
    if (result && result.refused.length > 0) return { kind: 'refused', refused: result.refused };
    stored += result?.stored ?? 0;
    after = page.next;
    if (after === undefined) return stored;
  }
  return { kind: 'too-much-left' };
}

async function requireNothingLeft({ filling: { table } }: FillContext, connection: Connection): Promise<void> {
  const left = await rowsOf(connection, `SELECT 1 FROM ${from(table)} WHERE ${restCondition(table)} LIMIT 1`);
  if (left.length > 0) throw new CliError('CLI_DATA_DIFFERS', 'a row is left that was filled, under the lock');
}

async function underLock(context: FillContext, options: SwitchOptions, connection: Connection): Promise<Attempt> {
  const { filling, clock } = context;
  await run(connection, `SET LOCAL lock_timeout = ${options.lockTimeoutMs}`);
  await run(connection, `SET LOCAL statement_timeout = ${MAX_HOLD_MS}`);
  await run(connection, `SET LOCAL idle_in_transaction_session_timeout = ${MAX_HOLD_MS}`);
  await run(connection, `LOCK TABLE ${tableName(filling.table)} IN ACCESS EXCLUSIVE MODE`);
  const startMs = clock.monotonicMs();
  const rest = await fillRest(context, connection);
  if (typeof rest !== 'number') return rest;
  await requireNothingLeft(context, connection);
  for (const { sql } of switchDefinitions(filling.table, options.isRequired)) await run(connection, sql);
  await run(connection, 'COMMIT');
  return { kind: 'done', underLock: rest, lockedMs: clock.monotonicMs() - startMs };
}

async function attemptSwitch(context: FillContext, options: SwitchOptions, connection: Connection): Promise<Attempt> {
  await run(connection, 'BEGIN ISOLATION LEVEL READ COMMITTED');
  try {
    const attempt = await underLock(context, options, connection);
    if (attempt.kind !== 'done') await run(connection, 'ROLLBACK');
    return attempt;
  } catch (error) {
    if (failureOf(error) !== 'lost') await run(connection, 'ROLLBACK');
    if (sqlStateOf(error) === LOCK_NOT_AVAILABLE) return { kind: 'busy' };
    // Of a row that a pass names.
    if (endsSession(error)) return { kind: 'too-much-left' };
    throw error;
  }
}

const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;

/**
 * @param isSwitched asks a new session, since a COMMIT whose answer is lost may have been done
 * @throws CliError CLI_DATA_LOCK, CLI_DATA_DIFFERS, CLI_DATABASE; the signal's reason between two tries
 */
export async function switchColumns(
  context: FillContext,
  options: SwitchOptions,
  isSwitched: (connection: Connection) => Promise<boolean>,
): Promise<Switched> {
  const { sessions, clock, signal } = context;
  const startMs = clock.monotonicMs();
  for (let tries = 1, pauseMs = FIRST_PAUSE_MS; ; tries += 1) {
    signal.throwIfAborted();
    const attempt: Attempt = await sessions.use(async (connection) =>
      (await isSwitched(connection))
        ? { kind: 'done', underLock: 0, lockedMs: 0 }
        : attemptSwitch(context, options, connection),
    );
    if (attempt.kind === 'done')
      return { outcome: 'switched', tries, underLock: attempt.underLock, lockedMs: attempt.lockedMs };
    if (attempt.kind === 'refused') return { outcome: 'refused', refused: attempt.refused };
    if (clock.monotonicMs() - startMs > options.patienceMs) {
      const why = attempt.kind === 'busy' ? 'others hold the table' : 'rows change faster than they are encrypted';
      throw new CliError('CLI_DATA_LOCK', 'the switch cannot be made', { found: why });
    }
    if (attempt.kind === 'busy') {
      options.told(`the table is in use; trying again in ${pauseMs / 1_000} s`);
      await clock.sleep(pauseMs, signal);
      pauseMs = Math.min(MAX_PAUSE_MS, 2 * pauseMs);
    }
    const { refused }: Filled = await fillPass(context);
    if (refused.length > 0) return { outcome: 'refused', refused };
  }
}
