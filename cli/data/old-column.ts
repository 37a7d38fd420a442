/** What becomes of the plaintext behind the switch, and of NOT NULL. Each step may be done again. */

import { notNullName, tableName } from '../../acra/migration/names.ts';
import { dropOld, notNullDefinitions } from '../../acra/migration/switch-statements.ts';
import { identifier, literal } from '../../postgres/sql-names.ts';
import { rowsOf, run } from './connection.ts';
import type { FillContext } from './fill.ts';
import { Pages } from './page.ts';
import { ALIAS, type Key, type KeyedTable, keyArrays, rowsOfArrays, sameKey } from './table.ts';

export const OLD_WAYS = ['keep', 'empty', 'drop'] as const;
export type OldWay = (typeof OLD_WAYS)[number];

type Context = Pick<FillContext, 'sessions' | 'progress' | 'throttle' | 'signal' | 'limits'>;

const LOCK_TIMEOUT_MS = 5_000;

/** Short waits for the lock; `Sessions` tries again. */
async function define({ sessions }: Context, sql: string): Promise<void> {
  await sessions.use(async (connection) => {
    await run(connection, `SET lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await run(connection, sql);
    await run(connection, 'RESET lock_timeout');
  });
}

/** Where the switch left a constraint to be proved. */
export async function proveNotNull(context: Context, table: KeyedTable): Promise<void> {
  const exists = `SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conrelid = ${literal(tableName(table))}::pg_catalog.regclass AND k.conname = $1::name`;
  const found = await context.sessions.use((connection) => rowsOf(connection, exists, [notNullName(table.migration)]));
  if (found.length === 0) return;
  for (const { sql } of notNullDefinitions(table)) await define(context, sql);
}

function emptyText(table: KeyedTable): string {
  const old = identifier(table.migration.old);
  return `UPDATE ${tableName(table)} AS ${ALIAS} SET ${old} = NULL FROM ${rowsOfArrays(table, [])} WHERE ${sameKey(table)}`;
}

/** In batches by key. @returns how many rows had a value. @throws the signal's reason behind a batch */
export async function emptyOld(context: Context, table: KeyedTable): Promise<number> {
  const { sessions, progress, throttle, signal, limits } = context;
  // Without the table: the guard takes `t.name` of a column that it does not know for a function of the whole row.
  const pages = new Pages({ table, columns: [], condition: `${identifier(table.migration.old)} IS NOT NULL` }, limits);
  let [after, emptied] = [undefined as Key | undefined, 0];
  do {
    signal.throwIfAborted();
    const page = await sessions.use(async (connection) => {
      const read = await pages.read(connection, after);
      if (read.rows.length > 0) await connection.each(emptyText(table), keyArrays(table, read.rows), () => undefined);
      return read;
    });
    after = page.next;
    emptied += page.rows.length;
    progress.add(page.rows.length);
    await throttle.after(page.rows.length, signal);
  } while (after !== undefined);
  return emptied;
}

export const dropOldColumn = (context: Context, table: KeyedTable): Promise<void> => define(context, dropOld(table));

/** Values of the column are in the table's statistics, too. */
export const analyse = (context: Context, table: KeyedTable): Promise<void> =>
  context.sessions.use((connection) => run(connection, `ANALYZE ${tableName(table)}`));
