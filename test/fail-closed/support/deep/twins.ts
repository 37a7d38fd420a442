/** The same tables twice in one PostgreSQL: with protected columns, and with plain ones. */
import pg from 'pg';
import type { Test } from 'tap';
import { startPostgres } from '../../../../emulator/postgres/server.ts';
import { DATABASE_TEMPLATES } from '../../../support/database-templates.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { guarded, opened } from './made-up-protector.ts';
import type { DeepStatement } from './statements.ts';

/** A join of a join of … may be long. */
const TIMEOUT_MS = 3_000;
const TIMED_OUT = '57014';

const ROWS = [
  "INSERT INTO patients VALUES (1, 'a', 'a', 'b'), (2, 'b', 'b', 'b'), (3, 'c', 'a', 'a'), (4, 'a', NULL, NULL), (5, 'b', 'c', 'c')",
  "INSERT INTO visits VALUES (1, 1, 'a', 'a'), (2, 3, 'b', 'a'), (3, 9, 'c', NULL), (3, 1, 'a', 'b')",
  "INSERT INTO notes VALUES (1, 'a', 'b'), (2, 'b', 'b'), (3, NULL, 'a'), (1, 'c', 'a')",
];

/** Ways that put rows in the order of their hashes, which are not the twin's. */
const HASHING = ['hashagg', 'hashjoin', 'mergejoin', 'sort'].map((each) => `SET enable_${each} = off;`).join(' ');

const schema = (name: string, type: string) => `
CREATE SCHEMA ${name}; SET search_path = ${name}; SET statement_timeout = ${TIMEOUT_MS}; ${HASHING}
CREATE TABLE patients (id integer PRIMARY KEY, name text, email ${type}, diagnosis ${type});
CREATE TABLE visits (id integer, patient integer, email ${type}, note ${type});
CREATE TABLE notes (id integer, email text, body text);
CREATE VIEW v AS SELECT * FROM patients;
`;

export type Ending =
  | { readonly kind: 'equal' | 'failed' | 'refused' | 'error' }
  /** The guard let it pass, and it came to something else than on plain columns. */
  | { readonly kind: 'different'; readonly own: unknown; readonly twin: unknown };

interface Answer {
  readonly rows: readonly (readonly unknown[])[];
  readonly state: string | undefined;
}

async function ask(client: pg.Client, text: string, values: readonly unknown[]): Promise<Answer> {
  try {
    const { rows } = await client.query<unknown[]>({ text, values: [...values], rowMode: 'array' });
    return { rows, state: undefined };
  } catch (error) {
    return { rows: [], state: error instanceof pg.DatabaseError ? error.code : String(error) };
  }
}

/** In an order of its own. */
const sorted = (rows: readonly (readonly unknown[])[]) => rows.map((row) => JSON.stringify(row)).toSorted();

export class Twins {
  readonly #own: pg.Client;
  readonly #twin: pg.Client;

  private constructor(own: pg.Client, twin: pg.Client) {
    this.#own = own;
    this.#twin = twin;
  }

  static async start(t: Test): Promise<Twins> {
    const users = [{ name: 'app', password: 'p' }];
    const options = { folder: temporaryFolder(t), users, database: 'twins', tls: undefined, durable: false };
    const server = await startPostgres({
      ...options,
      templates: DATABASE_TEMPLATES,
      signal: new AbortController().signal,
    });
    const connect = async () => {
      const { host, port, database } = server;
      const client = new pg.Client({ host, port, database, user: 'app', password: 'p' });
      await client.connect();
      return client;
    };
    const [own, twin] = [await connect(), await connect()];
    t.teardown(async () => {
      await Promise.all([own.end(), twin.end()]);
      await server.stop();
    });
    await own.query(schema('own', 'bytea'));
    await twin.query(schema('twin', 'text'));
    for (const sql of ROWS) {
      const protectedRows = guarded(sql);
      if (typeof protectedRows === 'string') throw new Error(`refused: ${protectedRows}`);
      await Promise.all([own.query(protectedRows.sql), twin.query(sql)]);
    }
    return new Twins(own, twin);
  }

  /** Nothing of it stays. */
  async ending({ sql, values, isWrite }: DeepStatement): Promise<Ending> {
    const own = guarded(sql, values);
    if (typeof own === 'string') return { kind: 'refused' };
    if (isWrite) await this.#both('BEGIN');
    const [here, there] = await Promise.all([
      ask(this.#own, own.sql.replaceAll('public.', 'own.'), own.values),
      ask(this.#twin, sql.replaceAll('public.', 'twin.'), values),
    ]);
    const states = [here.state, there.state];
    // The one said so, and nothing is wrong without a word.
    if (states.some((state) => state !== undefined)) {
      if (isWrite) await this.#both('ROLLBACK');
      return { kind: states.includes(undefined) && !states.includes(TIMED_OUT) ? 'error' : 'failed' };
    }
    const pairs = [[sorted(here.rows.map(own.read)), sorted(there.rows)]];
    if (isWrite) pairs.push(await this.#content());
    if (isWrite) await this.#both('ROLLBACK');
    const different = pairs.find(([one, other]) => JSON.stringify(one) !== JSON.stringify(other));
    return different ? { kind: 'different', own: different[0], twin: different[1] } : { kind: 'equal' };
  }

  async #both(sql: string): Promise<void> {
    await Promise.all([this.#own.query(sql), this.#twin.query(sql)]);
  }

  async #content(): Promise<[string[], string[]]> {
    const sql = 'SELECT *, 0 FROM patients UNION ALL SELECT id, patient::text, email, note, 1 FROM visits';
    const [here, there] = [await ask(this.#own, sql, []), await ask(this.#twin, sql, [])];
    const read = (cell: unknown) => (Buffer.isBuffer(cell) ? (opened(cell) ?? 'not protected') : cell);
    return [sorted(here.rows.map((row) => row.map(read))), sorted(there.rows)];
  }
}
