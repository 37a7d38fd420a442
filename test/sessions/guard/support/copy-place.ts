/** Tables with protected columns before the guard, one with the same columns in clear, and COPY to and from them. */
import type pg from 'pg';
import type { Test } from 'tap';
import { type CopyOptions, copy } from '../../../support/copy-query.ts';
import { guardedPostgres, isReal } from './guarded-postgres.ts';

export const MARKER = 'PLAINTEXT';
const INTEGERS = `
      - column: small
        data_type: int32
      - column: large
        data_type: int64
`;
const CONFIG = `
schemas:
  - table: person
    columns: [id, secret, raw, small, large, note]
    encrypted:
      - column: secret
        data_type: str
        searchable: true
      - column: raw
        data_type: bytes
${isReal ? INTEGERS : ''}
  - table: strict
    columns: [id, secret]
    encrypted:
      - column: secret
        data_type: str
        response_on_fail: error
`;
const TABLES = `
CREATE TABLE person (id int PRIMARY KEY, secret bytea, raw bytea, small ${isReal ? 'bytea' : 'int'}, large ${isReal ? 'bytea' : 'bigint'}, note text DEFAULT 'none');
CREATE TABLE strict (id int, secret bytea);
CREATE TABLE made (id int, double int GENERATED ALWAYS AS (id * 2) STORED);
CREATE TABLE plain (id int PRIMARY KEY, secret text, raw bytea, small int, large bigint, note text DEFAULT 'none');
`;

export async function copyPlace(t: Test) {
  const guarded = await guardedPostgres(t, CONFIG);
  const { owner } = guarded;
  await owner.query(TABLES);
  const client = await guarded.connect();
  return {
    guarded,
    owner,
    client,
    into: (sql: string, data: string | readonly Buffer[], options: CopyOptions = {}) =>
      copy(client, sql, { data: typeof data === 'string' ? [Buffer.from(data)] : data, ...options }),
    outOf: async (sql: string, by: pg.Client = client) => Buffer.concat((await copy(by, sql)).data).toString(),
    count: async () => Number((await owner.query('SELECT count(*) FROM person')).rows[0].count),
  };
}

export const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'works',
    (error: pg.DatabaseError) => error.code,
  );
