/**
 * A session that the tool speaks through: at the enclave's public port, or at a plain PostgreSQL in tests. Cells are PostgreSQL's own
 * text, so that what is compared and handed back is what was read, whatever its type; rows come one by one, and nothing is kept here. Cells
 * that are too long for that (long-cells.ts) are asked for one by one, as bytes.
 */
import pg from 'pg';
import { askCell, partLongCells } from './cell-statement.ts';
import type { CellSink, LongCells } from './long-cells.ts';
import { letGo } from './small-memory.ts';

/** Null: NULL. A long one is LONG (long-cells.ts). */
export type Cell = string | null;
export type Row = readonly Cell[];
/** A list is an array of PostgreSQL's. */
export type Parameter = Cell | readonly Cell[];

export interface Connection {
  /** @param onRow a row is its own from then on. @throws pg.DatabaseError; an error without SQLSTATE where the session is lost */
  each(sql: string, values: readonly Parameter[], onRow: (row: Row) => void): Promise<void>;
  /**
   * What there is of one row and one column, however long: as bytes, which are the text of anything but bytea.
   * @param values a Buffer is as long as need be, and of the type of what it is stored in or compared with
   * @returns undefined: no row @throws as `each`
   */
  cell(sql: string, values: readonly (Cell | Buffer)[], sink: CellSink): Promise<'value' | 'null' | undefined>;
  end(): Promise<void>;
}

/** As they are held: characters, about. */
export const bytesOf = (row: Row) => row.reduce((sum, cell) => sum + (cell?.length ?? 0), 0);

/** What rows there are. Only where they are few. */
export async function rowsOf(connection: Connection, sql: string, values: readonly Parameter[] = []): Promise<Row[]> {
  const rows: Row[] = [];
  await connection.each(sql, values, (row) => rows.push(row));
  return rows;
}

export const run = (connection: Connection, sql: string): Promise<void> => connection.each(sql, [], () => undefined);

/** As PostgreSQL writes an array of texts: each element in quotes, so that none is taken for NULL, or a list. */
const elementOf = (cell: Cell) => (cell === null ? 'NULL' : `"${cell.replace(/["\\]/g, '\\$&')}"`);
const arrayOf = (cells: readonly Cell[]): string => `{${cells.map(elementOf).join(',')}}`;

const asText = { getTypeParser: () => (text: string) => text };

/** What all sessions begin with: the texts of values must mean the same in whatever session they are given back. */
const OPENING = [
  "SET bytea_output = 'hex'",
  "SET DateStyle = 'ISO, YMD'",
  "SET IntervalStyle = 'postgres'",
  'SET extra_float_digits = 1',
  'SET statement_timeout = 0',
  // A policy that would hide rows is an error then: nothing is done, or proved, of a part.
  'SET row_security = off',
];

function session(client: pg.Client, longCells: LongCells): Connection {
  return {
    each: (text, values, onRow) =>
      new Promise((resolve, reject) => {
        const given = values.map((value) => (typeof value === 'object' && value !== null ? arrayOf(value) : value));
        // Of the library's types, only those of its own queries know `rowMode`.
        const config: pg.QueryArrayConfig = { text, values: given, rowMode: 'array', types: asText };
        const query = new pg.Query(config);
        query.on('row', (row) => onRow(row as unknown as Row));
        query.on('error', reject);
        query.on('end', () => {
          letGo(bytesOf(given));
          resolve();
        });
        client.query(query);
      }),
    cell: async (sql, values, sink) => {
      longCells.sendTo(sink);
      try {
        return await askCell(client, sql, values);
      } finally {
        longCells.sendTo(undefined);
      }
    },
    end: () => client.end().catch(() => undefined),
  };
}

/** A session of a client that has logged in. */
export async function begin(client: pg.Client): Promise<Connection> {
  const connection = session(client, await partLongCells(client));
  try {
    for (const sql of OPENING) await run(connection, sql);
    return connection;
  } catch (error) {
    await connection.end();
    throw error;
  }
}

const CONNECT_TIMEOUT_MS = 20_000;

/** @throws what the library throws */
export async function connect(config: pg.ClientConfig): Promise<Connection> {
  const client = new pg.Client({
    application_name: 'acra-enclave data',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    ...config,
  });
  // Whoever awaits a query learns of it there.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  return begin(client);
}
