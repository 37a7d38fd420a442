/** COPY out of protected columns through the guard, before a real PostgreSQL: the same as plain columns give. */
import t from 'tap';
import { copy } from '../../support/copy-query.ts';
import { codeOf, copyPlace, MARKER } from './support/copy-place.ts';
import { isReal } from './support/guarded-postgres.ts';

const { guarded, owner, client, into, outOf } = await copyPlace(t);

t.beforeEach(async () => {
  await owner.query('TRUNCATE person, plain, strict');
});

const COLUMNS = 'id, secret, raw, small, large, note';
const TEXTS = ['a\tb\nc\\d', 'quote " comma , semicolon ;', '\\N', 'nil', '\\.', '', 'é 😀', '\r', '\x01\x7f', null];
const OPTIONS: readonly string[] = [
  '',
  `(DELIMITER ';', NULL 'nil', HEADER)`,
  '(FORMAT csv)',
  `(FORMAT csv, HEADER, FORCE_QUOTE *, DELIMITER ';', NULL 'nil', ESCAPE '\\')`,
  '(FORMAT csv, FORCE_QUOTE (secret))',
  '(FORMAT binary)',
  'CSV',
];
const SOURCES: readonly string[] = [
  '%',
  `(SELECT ${COLUMNS} FROM %)`,
  '(SELECT * FROM % WHERE id > 3)',
  '% (secret)',
  '(SELECT note AS secret, secret AS s, id, secret, 1 FROM %)',
  '(SELECT x.*, 1 FROM plain AS other, % AS x WHERE x.id = other.id)',
];

t.test('gives what plain columns give, in every format', async (t) => {
  for (const [index, value] of TEXTS.entries()) {
    const number = isReal ? index : null;
    const row = [index, value, value && Buffer.from(value), number, number && -number, value];
    const insert = (table: string) => `INSERT INTO ${table} (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)`;
    await client.query(insert('person'), row);
    await owner.query(insert('plain'), row);
  }
  for (const options of OPTIONS) {
    for (const source of SOURCES) {
      const statement = (table: string) => `COPY ${source.replace('%', table)} TO STDOUT ${options}`;
      t.equal(await outOf(statement('person')), await outOf(statement('plain'), owner), statement('person'));
    }
  }
  const updating = (table: string) =>
    `COPY (UPDATE ${table} SET secret = 'é' WHERE id = 1 RETURNING raw, secret) TO STDOUT`;
  t.equal(await outOf(updating('person')), await outOf(updating('plain'), owner));
});

t.test('copies what it has given, in binary, back in', async (t) => {
  await client.query('INSERT INTO person (id, secret, raw) VALUES (1, $1, $2), (2, NULL, NULL)', [
    MARKER,
    Buffer.from(MARKER),
  ]);
  const { data } = await copy(client, 'COPY person TO STDOUT (FORMAT binary)');
  await client.query('DELETE FROM person');
  const bytes = Buffer.concat(data);
  await into(
    'COPY BINARY person FROM STDIN',
    [...bytes].map((byte) => Buffer.of(byte)),
  );
  const { rows } = await client.query('SELECT id, secret, raw FROM person ORDER BY id');
  t.same(rows, [
    { id: 1, secret: MARKER, raw: Buffer.from(MARKER) },
    { id: 2, secret: null, raw: null },
  ]);
  t.equal(
    await codeOf(into('COPY person FROM STDIN (FORMAT binary)', [bytes, Buffer.of(0)])),
    '22P04',
    'more behind the end',
  );
  t.equal(await codeOf(into('COPY person (id) FROM STDIN (FORMAT binary)', [bytes])), '22P04', 'of other columns');
  t.equal(await codeOf(into('COPY person (id, note) FROM STDIN', `1\tx\t${MARKER}\n`)), '22P04', 'of more columns');
});

t.test('gives what does not open as response_on_fail says', async (t) => {
  await owner.query(`INSERT INTO person (id, secret) VALUES (1, '\\x6a756e6b')`);
  t.equal(await outOf('COPY person (id, secret) TO STDOUT'), '1\tjunk\n');
  await owner.query(`INSERT INTO strict (id, secret) VALUES (1, '\\x6a756e6b')`);
  await t.rejects(outOf('COPY strict TO STDOUT'), { code: '42000', message: /encoding error in column "secret"/ });
  t.equal(await outOf('COPY (SELECT 1) TO STDOUT'), '1\n', 'and the session goes on');
});

t.test('has sent the database nothing in plaintext in all of this', async (t) => {
  t.notOk(guarded.heard().includes(MARKER));
  t.notOk(guarded.heard().includes(Buffer.from(MARKER).toString('hex')));
});
