/** One value that is long, by itself: read as it is stored and opened, and given back, as bytes, of which there is one copy. */
import { createHash } from 'node:crypto';
import type { EncryptedColumn } from '../../../acra/encryptor-config/schema.ts';
import { tableName } from '../../../acra/migration/names.ts';
import { identifier } from '../../../postgres/sql-names.ts';
import { CliError } from '../../errors.ts';
import { type Cell, rowsOf, run } from '../connection.ts';
import { failureOf } from '../failures.ts';
import { Comparison } from '../long-value.ts';
import { ALIAS, column, from, type Key, keyEqual } from '../table.ts';
import { isDefaultBytes } from '../verify/stored-cell.ts';
import type { Views } from '../verify/views.ts';
import type { Fault, Rewriting } from './rewriting.ts';
import { doubtOfBytes, type KeyState, type StoredValue, storedValue } from './stored-value.ts';

interface ReadCell {
  readonly state: KeyState | 'too-long' | 'gone';
  readonly version: Cell;
  readonly value: StoredValue;
  readonly digest: Buffer;
}

const condition = (rewriting: Rewriting, first: number) =>
  `${keyEqual(rewriting.table, first)} AND ${ALIAS}.xmin::text = $${first + rewriting.table.key.length}`;
const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest();
const NOT_READ = { version: null, value: { state: 'empty' }, digest: Buffer.alloc(0) } as const;

/** As it is stored. @throws what the session says */
export async function readStored(
  rewriting: Rewriting,
  { stored }: Views,
  of: EncryptedColumn,
  key: Key,
): Promise<ReadCell> {
  const { table, long, ids } = rewriting;
  const [[version = null] = []] = await rowsOf(
    stored,
    `SELECT ${ALIAS}.xmin::text FROM ${from(table)} WHERE ${keyEqual(table, 1)}`,
    key,
  );
  if (version === null) return { ...NOT_READ, state: 'gone' };
  try {
    const sql = `SELECT ${column(of.name)} FROM ${from(table)} WHERE ${condition(rewriting, 1)}`;
    const seen = await stored.cell(sql, [...key, version], long);
    if (seen === undefined) return { ...NOT_READ, state: 'gone' };
    if (seen === 'null') return { ...NOT_READ, state: 'empty' };
    if (long.isTooLong) return { ...NOT_READ, state: 'too-long' };
    const value = storedValue(ids, of, long.bytes);
    return { state: value.state, version, value, digest: digestOf(long.bytes) };
  } finally {
    long.clear();
  }
}

/**
 * After a first value was written in these sessions: an enclave with another keystore must not write a second one. Where somebody else has
 * changed the row since, the next value tells.
 * @throws CliError CLI_DATA_OTHER_KEY
 */
export async function requireCurrent(rewriting: Rewriting, views: Views, key: Key, of: EncryptedColumn): Promise<void> {
  if (rewriting.known.has(views)) return;
  const { state } = await readStored(rewriting, views, of, key);
  if (state === 'current') rewriting.known.add(views);
  if (state !== 'old' && state !== 'other') return;
  const what = state === 'old' ? 'an old key' : 'a key that --key-ids does not name';
  throw new CliError('CLI_DATA_OTHER_KEY', 'the enclave does not encrypt with the current key', {
    found: `a value that it has just written is under ${what}`,
  });
}

/** @returns `changed`: somebody else was faster */
export type CellOutcome = 'written' | 'changed' | Fault;

async function store(rewriting: Rewriting, { opened }: Views, of: EncryptedColumn, key: Key, version: Cell) {
  const { table, long } = rewriting;
  const sql = `UPDATE ${tableName(table)} AS ${ALIAS} SET ${identifier(of.name)} = $1 WHERE ${condition(rewriting, 2)} RETURNING ${column(of.name)}`;
  await run(opened, 'BEGIN ISOLATION LEVEL READ COMMITTED');
  try {
    const readBack = new Comparison(long.bytes);
    const seen = await opened.cell(sql, [long.bytes, ...key, version], readBack);
    const isSame = seen === undefined || readBack.isSame;
    await run(opened, isSame ? 'COMMIT' : 'ROLLBACK');
    if (!isSame) return 'differs';
    return seen === undefined ? 'changed' : 'written';
  } catch (error) {
    if (failureOf(error) !== 'lost') await run(opened, 'ROLLBACK');
    throw error;
  }
}

/** @param read under an old key @throws what the session says */
export async function rewriteCell(
  rewriting: Rewriting,
  views: Views,
  of: EncryptedColumn,
  key: Key,
  { version, value, digest }: ReadCell,
): Promise<CellOutcome> {
  const { table, long } = rewriting;
  try {
    const sql = `SELECT ${column(of.name)} FROM ${from(table)} WHERE ${condition(rewriting, 1)}`;
    const seen = await views.opened.cell(sql, [...key, version], long);
    if (seen === undefined) return 'changed';
    if (seen === 'null' || long.isTooLong || digestOf(long.bytes).equals(digest)) return 'foreign';
    if (isDefaultBytes(of, long.bytes)) return 'default';
    return doubtOfBytes(of, value, long.bytes) ?? (await store(rewriting, views, of, key, version));
  } finally {
    long.clear();
  }
}
