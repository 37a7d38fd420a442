/** Values of every type, at their ends, and keys of several kinds: what applications read behind the switch is what they read before. */
import t from 'tap';
import { isReal } from '../../sessions/guard/support/guarded-postgres.ts';
import { migrating, SEARCHABLE } from './support/migrating.ts';

interface Case {
  readonly what: string;
  readonly settings: string;
  readonly type: string;
  /** SQL expressions. */
  readonly values: readonly string[];
  readonly skip?: string | false;
}

const integers = isReal ? false : 'the stand-in knows no integers';
const texts = [
  "'a'",
  "''",
  "' '",
  "'NULL'",
  "'null'",
  `'{"a",\\b}'`,
  "E'a\\nb\\tc'",
  "'Zoë 名前 🔑'",
  "'\\x6162'",
  "repeat('ñx', 500000)",
  'NULL',
];

const CASES: readonly Case[] = [
  { what: 'text', settings: 'data_type: str', type: 'text', values: texts },
  { what: 'searchable text', settings: SEARCHABLE, type: 'text', values: texts },
  { what: 'varchar', settings: 'data_type: str', type: 'varchar(20)', values: ["'a'", "'ab '", 'NULL'] },
  { what: 'char(n)', settings: 'data_type: str', type: 'char(5)', values: ["'a'", "'abcde'", "''", 'NULL'] },
  {
    what: 'bytea',
    settings: 'data_type: bytes',
    type: 'bytea',
    values: ["'\\x00'", "'\\x'", "'\\xff00ff5c22'", "decode(repeat('00ff', 500000), 'hex')", 'NULL'],
  },
  {
    what: 'bytea without data_type',
    settings: 'searchable: true',
    type: 'bytea',
    values: ["'\\x00'", "'\\x'", "'\\xff'", 'NULL'],
  },
  {
    what: 'integer',
    settings: 'data_type: int32',
    type: 'integer',
    values: ['0', '-1', '2147483647', '-2147483648', 'NULL'],
    skip: integers,
  },
  {
    what: 'smallint',
    settings: 'data_type: int32',
    type: 'smallint',
    values: ['0', '-32768', '32767', 'NULL'],
    skip: integers,
  },
  {
    what: 'bigint',
    settings: 'data_type: int64',
    type: 'bigint',
    values: ['0', '9223372036854775807', '-9223372036854775808', 'NULL'],
    skip: integers,
  },
  {
    what: 'searchable integer as int64',
    settings: 'data_type: int64, searchable: true',
    type: 'integer',
    values: ['0', '7', '-2147483648'],
    skip: integers,
  },
];

const oldForm = async (query: (sql: string) => Promise<{ rows: unknown[] }>) =>
  (await query('SELECT id, name FROM patients ORDER BY id')).rows;

for (const { what, settings, type, values, skip = false } of CASES) {
  t.test(`keeps values of ${what}`, { skip }, async (t) => {
    const table = `CREATE TABLE patients (id int PRIMARY KEY, name ${type}, ward text)`;
    const { owner, prepare, encrypt, verify, postgres } = await migrating(t, settings, table);
    for (const [id, value] of values.entries()) await owner.query(`INSERT INTO patients VALUES (${id}, ${value})`);
    const before = await oldForm((sql) => owner.query(sql));
    await prepare();
    const report = await encrypt({ maxBytes: 1024 * 1024 });
    t.match(report, { outcome: 'switched', refused: [] });
    const client = await postgres.connect();
    // int64 comes as text from this driver, whatever it was before.
    const text = (rows: unknown[]) =>
      JSON.stringify(rows, (_, value) => (typeof value === 'number' ? `${value}` : value));
    t.ok(text(await oldForm((sql) => client.query(sql))) === text(before), 'reads the same');
    await encrypt({ old: 'drop' });
    t.match(await verify(), { outcome: 'proved', offenders: [], faults: {} });
    const [stored] = (
      await owner.query(
        'SELECT count(*)::int AS plain FROM patients WHERE octet_length(name) < 60 AND octet_length(name) > 0',
      )
    ).rows;
    t.equal(stored.plain, 0);
  });
}

const KEYS: readonly {
  readonly what: string;
  readonly columns: string;
  readonly key: readonly string[];
  readonly row: string;
}[] = [
  {
    what: 'of two columns',
    columns: 'a text, b int, name text, ward text, PRIMARY KEY (b, a)',
    key: ['a', 'b'],
    row: "chr(97 + g % 26) || ',\"' || g, g % 7",
  },
  { what: 'of char(n)', columns: 'a char(8) PRIMARY KEY, name text, ward text', key: ['a'], row: 'g::text' },
  {
    what: 'of timestamps',
    columns: 'a timestamptz PRIMARY KEY, name text, ward text',
    key: ['a'],
    row: "'2000-01-01'::timestamptz + g * interval '1.000001 s'",
  },
  { what: 'of uuid', columns: 'a uuid PRIMARY KEY, name text, ward text', key: ['a'], row: 'md5(g::text)::uuid' },
  {
    what: 'of an enum',
    columns: 'a mood, b float8, name text, ward text, PRIMARY KEY (a, b)',
    key: ['a', 'b'],
    row: "(ARRAY['low', 'Very high'])[1 + g % 2]::mood, g / 3.0",
  },
  {
    what: 'with a name that needs quotes',
    columns: '"A ""b" bigint PRIMARY KEY, name text, ward text',
    key: ["'A \"b'"],
    row: 'g',
  },
];

for (const { what, columns, key, row } of KEYS) {
  t.test(`pages by a primary key ${what}`, async (t) => {
    const table = `CREATE TYPE mood AS ENUM ('low', 'Very high'); CREATE TABLE patients (${columns})`;
    const { owner, prepare, encrypt, verify } = await migrating(t, 'data_type: str', table, key);
    await owner.query(`INSERT INTO patients SELECT ${row}, 'name ' || g FROM generate_series(1, 500) g`);
    await prepare();
    t.match(await encrypt({ maxRows: 60 }), { outcome: 'switched', filled: 500 });
    t.match(await verify({ isBeforeDrop: true }), { outcome: 'proved', rows: 500, values: 500 });
  });
}
