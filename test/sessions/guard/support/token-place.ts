/** Tables with columns of tokens before the guard, and values of every type of token. */
import type pg from 'pg';
import type { Test } from 'tap';
import { int32, withLength } from '../../../../postgres/integers.ts';
import type { EngineRigOptions } from '../../../acra/engine/support/engine-rig.ts';
import { type CopyOptions, copy } from '../../../support/copy-query.ts';
import { codeOf } from './copy-place.ts';
import { guardedPostgres } from './guarded-postgres.ts';

export const TYPES = {
  number: { sql: 'integer', type: 'int32', value: 4711, form: /^-?\d{1,10}$/ },
  long: { sql: 'bigint', type: 'int64', value: '123456789012345', form: /^-?\d{1,19}$/ },
  word: { sql: 'text', type: 'str', value: 'Beate', form: /^[A-Za-z0-9]{5}$/ },
  bytes: { sql: 'bytea', type: 'bytes', value: Buffer.from('0001ffaa11', 'hex'), form: /^[0-9a-f]{10}$/ },
  email: { sql: 'text', type: 'email', value: 'beate@example.org', form: /^\w+@\w+\.[a-z]+$/ },
} as const;
export type TypeName = keyof typeof TYPES;
const NAMES = Object.keys(TYPES) as TypeName[];
export const VALUES = NAMES.map((name) => TYPES[name].value);

const columns = NAMES.map((name) => `      - {column: ${name}, token_type: ${TYPES[name].type}}`).join('\n');
const CONFIG = `defaults: {consistent_tokenization: true}
schemas:
  - table: people
    columns: [id, ${NAMES.join(', ')}]
    encrypted:
${columns}
  - table: unique_words
    columns: [word, random]
    encrypted:
      - {column: word, token_type: str}
      - {column: random, token_type: str, consistent_tokenization: false}
  - table: sealed
    columns: [id, secret]
    encrypted:
      - {column: secret, data_type: str}
`;
const TABLE = ['id integer PRIMARY KEY', ...NAMES.map((name) => `${name} ${TYPES[name].sql}`)].join(', ');

const int64 = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
};
const BINARY: readonly Buffer[] = [
  int32(4711),
  int64(123456789012345n),
  Buffer.from('Beate'),
  TYPES.bytes.value,
  Buffer.from('beate@example.org'),
];

/** @param engine default: acra-server keeps tokens in its memory */
export async function startTokenPlace(t: Test, engine: Pick<EngineRigOptions, 'tokens'> = {}) {
  const guarded = await guardedPostgres(t, CONFIG, {}, [], engine);
  const { owner } = guarded;
  await owner.query(`CREATE TABLE people (${TABLE}); CREATE TABLE sealed (id int, secret bytea)`);
  const client = await guarded.connect();
  await client.query("INSERT INTO sealed VALUES (1, 'x')");
  const container: Buffer = (await owner.query('SELECT secret FROM sealed')).rows[0].secret;
  const hex = `\\x${TYPES.bytes.value.toString('hex')}`;
  const texts = NAMES.map((name) => (name === 'bytes' ? hex : String(TYPES[name].value)));
  return {
    guarded,
    owner,
    client,
    container,
    /** node-postgres sends Buffers in binary. */
    binaryValues: BINARY,
    copyTexts: texts.map((text) => text.replaceAll('\\', '\\\\')),
    csvTexts: texts,
    binaryRow: (id: number) =>
      Buffer.concat([
        Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'),
        ...[0, 0].map(int32),
        Buffer.from([0, 1 + BINARY.length]),
        ...[int32(id), ...BINARY].flatMap(withLength),
        Buffer.from([0xff, 0xff]),
      ]),
    /** What must not reach the database. */
    secrets: [Buffer.from('Beate'), Buffer.from('beate@example.org'), Buffer.from('0001ffaa11'), TYPES.bytes.value],
    copyIn: (sql: string, data: string | Buffer, options: CopyOptions = {}) =>
      copy(client, sql, { data: [Buffer.from(data as string)], ...options }),
    copyOut: async (sql: string, by: pg.Client = client) => Buffer.concat((await copy(by, sql)).data).toString(),
    codeOf: (sql: string) => codeOf(client.query(sql)),
  };
}
