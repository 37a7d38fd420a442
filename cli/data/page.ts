/**
 * Rows in the order of the primary key, a page at a time. How long values are is known when they are there, so that a page ends where it
 * has so many rows or so many bytes, or a row that is too long for others beside it; what the database sends beyond that is let go, and
 * the next page asks for fewer.
 */
import { bytesOf, type Connection, type Parameter, type Row, rowsOf } from './connection.ts';
import { hasLongCell } from './long-row.ts';
import { from, type Key, type KeyedTable, keyCompared, keyList, keyOf } from './table.ts';

export interface PageLimits {
  readonly maxRows: number;
  readonly maxBytes: number;
}

export interface PageQuery {
  readonly table: KeyedTable;
  /** Behind the key. */
  readonly columns: readonly string[];
  /** Of SQL; undefined: every row. */
  readonly condition?: string;
}

export interface Page {
  /** Key first. The last may have long cells. */
  readonly rows: readonly Row[];
  /** Undefined: no row follows. */
  readonly next: Key | undefined;
}

function queryText({ table, columns, condition }: PageQuery, isFirst: boolean): string {
  const conditions = [
    ...(condition === undefined ? [] : [condition]),
    ...(isFirst ? [] : [keyCompared(table, '>', 2)]),
  ];
  const where = conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : '';
  return `SELECT ${[keyList(table), ...columns].join(', ')} FROM ${from(table)}${where} ORDER BY ${keyList(table)} LIMIT $1::bigint`;
}

/** The next row's key alone, in a page without rows; `next` is that key. */
export async function readKey(
  { table, condition }: PageQuery,
  connection: Connection,
  after: Key | undefined,
): Promise<Page> {
  const sql = queryText({ table, columns: [], ...(condition !== undefined && { condition }) }, after === undefined);
  const [next] = await rowsOf(connection, sql, ['1', ...(after ?? [])]);
  return { rows: [], next };
}

/** Remembers how many rows fit. */
export class Pages {
  readonly #query: PageQuery;
  readonly #limits: PageLimits;
  #rows: number;

  constructor(query: PageQuery, limits: PageLimits) {
    this.#query = query;
    this.#limits = limits;
    this.#rows = Math.min(limits.maxRows, 16);
  }

  /** The most rows that the next page may have. */
  get maxRows(): number {
    return this.#rows;
  }

  /** @param after undefined: from the first row on */
  async read(connection: Connection, after: Key | undefined): Promise<Page> {
    const { maxBytes } = this.#limits;
    const asked = this.#rows;
    const values: Parameter[] = [String(asked), ...(after ?? [])];
    const rows: Row[] = [];
    let [bytes, sent, endsLong] = [0, 0, false];
    await connection.each(queryText(this.#query, after === undefined), values, (row) => {
      sent += 1;
      if (rows.length < sent - 1) return;
      const length = bytesOf(row);
      if (endsLong || (rows.length > 0 && bytes + length > maxBytes)) return;
      bytes += length;
      rows.push(row);
      endsLong = hasLongCell(row);
    });
    const last = rows.at(-1);
    const hasMore = sent === asked || rows.length < sent;
    const grown = 2 * bytes <= maxBytes ? Math.min(this.#limits.maxRows, 2 * asked) : asked;
    this.#rows = rows.length < sent || endsLong ? rows.length : grown;
    return { rows, next: last && hasMore ? keyOf(this.#query.table, last) : undefined };
  }
}
