/**
 * Looks at a page of a table in two sessions that see the same moment: one that has protected columns opened, and one that has them as
 * they are stored. Then at whether each searchable value is found by itself.
 */
import type { EncryptedColumn } from '../../../acra/encryptor-config/schema.ts';
import type { Cell, Connection, Row } from '../connection.ts';
import { LONG } from '../long-cells.ts';
import type { Pages } from '../page.ts';
import { column, from, type Key, keyArrays, keyCompared, keyList, keyOf, rowsOfArrays, sameKey } from '../table.ts';
import { valueTypeOf } from '../value-type.ts';
import { type Fault, faultOf, isDefault, isUnopened } from './stored-cell.ts';
import { verifyCell } from './verify-cell.ts';
import { endMoment, type Offender, sameMoment, type Verification, type Views } from './views.ts';

export interface Verified {
  readonly rows: number;
  /** Undefined: no row follows. */
  readonly next: Key | undefined;
  readonly offenders: readonly Offender[];
  /** Cells that hold a container, and neither NULL nor an empty value. */
  readonly values: number;
}

/** A cell that is too long to be compared beside others. */
interface LongCellAt {
  readonly column: EncryptedColumn;
  readonly key: Key;
}

const bytesOf = (text: string) => Buffer.from(text.startsWith('\\x') ? text.slice(2) : '', 'hex');
const textOf = (key: Key) => JSON.stringify(key);

/** @throws what a session says, with its transaction open */
export async function verifyPage(
  verification: Verification,
  views: Views,
  pages: Pages,
  after: Key | undefined,
): Promise<Verified> {
  await sameMoment(views);
  const page = await pages.read(views.opened, after);
  const offenders: Offender[] = [];
  const long: LongCellAt[] = [];
  const values = await compare(verification, views.stored, page.rows, after, { offenders, long });
  for (const each of verification.columns) {
    if (each.searchable) offenders.push(...(await searchFor(verification, views.opened, each, page.rows, offenders)));
  }
  for (const { column: of, key } of long) {
    const { fault } = await verifyCell(verification, views, of, key);
    if (fault) offenders.push({ column: of.name, key, fault });
  }
  await endMoment(views, 'COMMIT');
  return { rows: page.rows.length, next: page.next, offenders, values };
}

interface Found {
  readonly offenders: Offender[];
  readonly long: LongCellAt[];
}

/** One stored row after the other: what was opened is held, what is stored is not. @returns how many values there were */
async function compare(
  { table, columns }: Verification,
  stored: Connection,
  rows: readonly Row[],
  after: Key | undefined,
  { offenders, long }: Found,
): Promise<number> {
  const last = rows.at(-1);
  if (!last) return 0;
  const opened = new Map(rows.map((row) => [textOf(keyOf(table, row)), row.slice(table.key.length)]));
  const lastKey = keyOf(table, last);
  const conditions = [
    keyCompared(table, '<=', 1),
    ...(after === undefined ? [] : [keyCompared(table, '>', 1 + lastKey.length)]),
  ];
  const names = columns.map(({ name }) => column(name)).join(', ');
  const sql = `SELECT ${keyList(table)}, ${names} FROM ${from(table)} WHERE ${conditions.join(' AND ')}`;
  let values = 0;
  await stored.each(sql, [...lastKey, ...(after ?? [])], (row) => {
    const key = keyOf(table, row);
    const cells = opened.get(textOf(key));
    opened.delete(textOf(key));
    for (const [index, each] of columns.entries()) {
      const cell = row[table.key.length + index] ?? null;
      const shown = cells?.[index] ?? null;
      if (!isEmpty(cell)) values += 1;
      const isLong = cells !== undefined && (cell === LONG || shown === LONG);
      if (isLong) long.push({ column: each, key });
      const fault = isLong ? undefined : faultOfCell(each, cell, shown);
      if (cells === undefined || fault) offenders.push({ column: each.name, key, fault: fault ?? 'unlike' });
    }
  });
  for (const row of rows) {
    const key = keyOf(table, row);
    if (opened.has(textOf(key)))
      offenders.push(...columns.map(({ name }) => ({ column: name, key, fault: 'unlike' as const })));
  }
  return values;
}

/** Stored as it is. */
const isEmpty = (cell: Cell) => cell === null || cell === '' || cell === '\\x';

function faultOfCell(of: EncryptedColumn, stored: Cell, opened: Cell): Fault | undefined {
  if (stored === null || isEmpty(stored))
    return isEmpty(opened) && (opened === null) === (stored === null) ? undefined : 'unlike';
  const bytes = bytesOf(stored);
  const fault = faultOf(of, bytes);
  if (fault) return fault;
  if (opened === null || isUnopened(opened, bytes)) return 'foreign';
  return isDefault(of, opened) ? 'default' : undefined;
}

async function searchFor(
  { table, columns }: Verification,
  opened: Connection,
  searched: EncryptedColumn,
  rows: readonly Row[],
  known: readonly Offender[],
): Promise<Offender[]> {
  const at = table.key.length + columns.indexOf(searched);
  const isKnown = new Set(known.filter((each) => each.column === searched.name).map(({ key }) => textOf(key)));
  const wanted = rows.filter(
    (row) => !isEmpty(row[at] ?? null) && row[at] !== LONG && !isKnown.has(textOf(keyOf(table, row))),
  );
  if (wanted.length === 0) return [];
  const given = rowsOfArrays(table, [{ type: valueTypeOf(searched), name: 'value' }]);
  const sql = `SELECT ${keyList(table)} FROM ${from(table)} JOIN ${given} ON ${sameKey(table)} AND ${column(searched.name)} = v.value`;
  const keys = wanted.map((row) => keyOf(table, row));
  const found = new Set<string>();
  const values = wanted.map((row) => row[at] ?? null);
  await opened.each(sql, [...keyArrays(table, keys), values], (row) => found.add(textOf(keyOf(table, row))));
  return keys.filter((key) => !found.has(textOf(key))).map((key) => ({ column: searched.name, key, fault: 'hash' }));
}
