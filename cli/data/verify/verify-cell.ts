/** Looks at one cell by itself in both sessions, however long it is: as bytes, of which there is one copy at a time. */
import { createHash } from 'node:crypto';
import type { EncryptedColumn } from '../../../acra/encryptor-config/schema.ts';
import { failureOf } from '../failures.ts';
import { NOWHERE } from '../long-cells.ts';
import type { LongValue } from '../long-value.ts';
import { column, from, type Key, type KeyedTable, keyEqual } from '../table.ts';
import { type Fault, faultOf, isDefaultBytes } from './stored-cell.ts';
import { endMoment, type Offender, sameMoment, type Verification, type Views } from './views.ts';

export interface VerifiedCell {
  readonly fault?: Fault;
  /** It holds a container, and neither NULL nor an empty value. */
  readonly isValue: boolean;
}

const select = (table: KeyedTable, name: string) =>
  `SELECT ${column(name)} FROM ${from(table)} WHERE ${keyEqual(table, 1)}`;

/** Of what was there and is overwritten. */
const digestOf = ({ bytes }: LongValue) => createHash('sha256').update(bytes).digest();

/** @throws what a session says, with its transaction open */
export async function verifyCell(
  verification: Verification,
  views: Views,
  of: EncryptedColumn,
  key: Key,
): Promise<VerifiedCell> {
  const { table, long } = verification;
  try {
    const stored = await views.stored.cell(select(table, of.name), key, long);
    const isValue = stored === 'value' && (long.isTooLong || long.bytes.length > 0);
    const fault = isValue
      ? await faultOfValue(verification, views, of, key)
      : await faultOfEmpty(verification, views, of, key, stored);
    return { isValue, ...(fault && { fault }) };
  } finally {
    long.clear();
  }
}

async function faultOfEmpty(
  { table, long }: Verification,
  { opened }: Views,
  of: EncryptedColumn,
  key: Key,
  stored: 'value' | 'null' | undefined,
): Promise<Fault | undefined> {
  long.clear();
  const shown = await opened.cell(select(table, of.name), key, long);
  return stored !== undefined && shown === stored && long.bytes.length === 0 ? undefined : 'unlike';
}

async function faultOfValue({ table, long }: Verification, { opened }: Views, of: EncryptedColumn, key: Key) {
  if (long.isTooLong) return 'unreadable';
  const fault = faultOf(of, long.bytes);
  if (fault) return fault;
  const digest = digestOf(long);
  const shown = await opened.cell(select(table, of.name), key, long);
  if (shown !== 'value') return 'unlike';
  if (long.isTooLong) return 'unreadable';
  if (digestOf(long).equals(digest)) return 'foreign';
  if (isDefaultBytes(of, long.bytes)) return 'default';
  if (!of.searchable) return undefined;
  const sql = `SELECT 1 FROM ${from(table)} WHERE ${keyEqual(table, 2)} AND ${column(of.name)} = $1`;
  return (await opened.cell(sql, [long.bytes, ...key], NOWHERE)) === 'value' ? undefined : 'hash';
}

/** Those of a row that is not read as a whole, each at a moment of its own. */
export async function verifyCells(verification: Verification, views: Views, key: Key) {
  const offenders: Offender[] = [];
  let values = 0;
  for (const of of verification.columns) {
    const { fault, isValue } = await moment(verification, views, of, key);
    if (fault) offenders.push({ column: of.name, key, fault });
    if (isValue) values += 1;
  }
  return { offenders, values };
}

async function moment(verification: Verification, views: Views, of: EncryptedColumn, key: Key): Promise<VerifiedCell> {
  await sameMoment(views);
  try {
    const verified = await verifyCell(verification, views, of, key);
    await endMoment(views, 'COMMIT');
    return verified;
  } catch (error) {
    if (failureOf(error) !== 'row') throw error;
    await endMoment(views, 'ROLLBACK');
    return { fault: 'unreadable', isValue: false };
  }
}
