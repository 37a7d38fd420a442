/** A client that has protected columns as they are stored (`acra_enclave.protected=stored`), through the guard before a real PostgreSQL. */
import pg from 'pg';
import t from 'tap';
import { copy } from '../../support/copy-query.ts';
import { codeOf, copyPlace, MARKER } from './support/copy-place.ts';
import { isReal } from './support/guarded-postgres.ts';

const { guarded, owner, client } = await copyPlace(t);
const asStored = await guarded.connect('-c acra_enclave.protected=stored');
const VALUES = [1, MARKER, Buffer.from(MARKER), ...(isReal ? [-7, '12345678901'] : [null, null]), 'note'];
const ROWS = 'SELECT id, secret, raw, small, large, note FROM person ORDER BY id';

t.beforeEach(async () => {
  await owner.query('TRUNCATE person, plain, strict');
  await client.query(
    'INSERT INTO person (id, secret, raw, small, large, note) VALUES ($1, $2, $3, $4, $5, $6)',
    VALUES,
  );
  await client.query(`INSERT INTO person (id, secret) VALUES (2, ''), (3, NULL)`);
});

const inPlace = async () => (await owner.query(ROWS)).rows;
const inClear = async () => (await client.query(ROWS)).rows;
/** The same rows, but not the row that is given. */
const emptied = async (by: () => Promise<unknown>) => {
  const before = { stored: await inPlace(), clear: await inClear() };
  await owner.query('DELETE FROM person');
  await by();
  return { before, after: { stored: await inPlace(), clear: await inClear() } };
};

t.test('reads bytea in every kind of result', async (t) => {
  const [row] = await inPlace();
  const results = {
    simple: await asStored.query(ROWS),
    extended: await asStored.query(`${ROWS} LIMIT $1`, [5]),
    prepared: await asStored.query({ name: 'all', text: ROWS }),
    star: await asStored.query('SELECT * FROM person ORDER BY id'),
    returning: await asStored.query("UPDATE person SET note = 'note' WHERE id = 1 RETURNING *"),
  };
  for (const [kind, { rows, fields }] of Object.entries(results)) {
    t.same(rows[0], row, kind);
    t.equal(fields.find(({ name }) => name === 'secret')?.dataTypeID, pg.types.builtins.BYTEA, kind);
  }
  await asStored.query('BEGIN');
  await asStored.query(`DECLARE c CURSOR FOR ${ROWS}`);
  t.same((await asStored.query('FETCH ALL FROM c')).rows[0], row);
  await asStored.query('COMMIT');
  await asStored.query(`PREPARE p AS ${ROWS}`);
  t.same((await asStored.query('EXECUTE p')).rows[0], row);
  t.same((await inClear())[0].secret, MARKER, 'and another session reads it as ever');
});

for (const format of ['text', 'csv', 'binary']) {
  t.test(`copies out and in again byte for byte, as ${format}`, async (t) => {
    const { data } = await copy(asStored, `COPY person TO STDOUT (FORMAT ${format})`);
    t.notMatch(Buffer.concat(data).toString('latin1'), MARKER);
    const { before, after } = await emptied(() =>
      copy(asStored, `COPY person FROM STDIN (FORMAT ${format})`, { data }),
    );
    t.same(after, before);
  });
}

t.test('takes what was stored as literals, parameters and arrays, in text and in binary', async (t) => {
  const rows = await inPlace();
  const hex = (value: Buffer | null) => (value === null ? null : `\\x${value.toString('hex')}`);
  const octal = (value: Buffer | null) =>
    value && [...value].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  const insert = 'INSERT INTO person (id, secret, raw, small, large, note) VALUES ($1, $2, $3, $4, $5, $6)';
  const ways: Record<string, () => Promise<unknown>> = {
    binary: () => Promise.all(rows.map((row) => asStored.query(insert, Object.values(row)))),
    hex: () =>
      Promise.all(
        rows.map((row) =>
          asStored.query(
            insert,
            Object.values(row).map((value) => (Buffer.isBuffer(value) ? hex(value) : value)),
          ),
        ),
      ),
    escape: () =>
      Promise.all(
        rows.map((row) =>
          asStored.query(
            insert,
            Object.values(row).map((value) => (Buffer.isBuffer(value) ? octal(value) : value)),
          ),
        ),
      ),
    literal: () =>
      Promise.all(
        rows.map((row) =>
          asStored.query(
            `INSERT INTO person VALUES (${Object.values(row)
              .map((value) => (value === null ? 'NULL' : `'${Buffer.isBuffer(value) ? hex(value) : value}'`))
              .join()})`,
          ),
        ),
      ),
    ...(isReal && {
      array: () =>
        asStored.query(
          'INSERT INTO person SELECT * FROM unnest($1::int[], $2::text[], $3::bytea[], $4::bytea[], $5::bytea[], $6::text[])',
          ['id', 'secret', 'raw', 'small', 'large', 'note'].map((name) => rows.map((row) => row[name])),
        ),
    }),
  };
  for (const [way, store] of Object.entries(ways)) {
    const { before, after } = await emptied(store);
    t.same(after, before, way);
  }
});

t.test('encrypts whatever was not stored, as ever', async (t) => {
  await owner.query('DELETE FROM person');
  await asStored.query("INSERT INTO person (id, secret, raw, note) VALUES (1, $1, $2, 'n')", [
    MARKER,
    Buffer.from(MARKER),
  ]);
  await asStored.query(
    `INSERT INTO person (id, secret) VALUES (2, '${MARKER}'), (3, '\\x${Buffer.from(MARKER).toString('hex')}')`,
  );
  const secrets = (await client.query('SELECT secret FROM person ORDER BY id')).rows.map(({ secret }) => secret);
  t.same(secrets, [MARKER, MARKER, MARKER], 'what was stored in clear as well');
  t.same((await client.query('SELECT raw FROM person WHERE id = 1')).rows, [{ raw: Buffer.from(MARKER) }]);
  t.equal(await codeOf(asStored.query("INSERT INTO person (id, secret) VALUES (4, '\\xff')")), '22021');
  t.equal(await codeOf(asStored.query("INSERT INTO person (id, secret) VALUES (4, '\\xf')")), '22P02');
});

/** The stand-in answers with an error where acra-server sends on what it takes for encrypted. */
const FOREIGN = isReal ? /^22023$/ : /^(22023|XX000|58000)$/;

t.test('refuses a container that does not open (22023), and stores nothing', async (t) => {
  const [{ raw, secret }] = await inPlace();
  for (const [column, stored] of Object.entries({ raw, secret })) {
    const broken = Buffer.from(stored);
    broken.writeUInt8(broken.readUInt8(broken.length - 1) ^ 1, broken.length - 1);
    t.match(await codeOf(asStored.query(`INSERT INTO person (id, ${column}) VALUES (9, $1)`, [broken])), FOREIGN);
    const data = [Buffer.from(`9\t\\\\x${broken.toString('hex')}\n`)];
    t.match(await codeOf(copy(asStored, `COPY person (id, ${column}) FROM STDIN`, { data })), FOREIGN);
  }
  t.equal((await inPlace()).length, 3);
});

t.test('finds a row by its value, and by what is stored', async (t) => {
  const [{ secret }] = await inPlace();
  for (const value of [MARKER, secret, `\\x${secret.toString('hex')}`])
    t.same((await asStored.query('SELECT id FROM person WHERE secret = $1', [value])).rows, [{ id: 1 }]);
  t.same((await asStored.query("SELECT id FROM person WHERE secret = ''")).rows, [{ id: 2 }]);
});

t.test('cannot be had by SET, and not lost by what sets back', async (t) => {
  for (const sql of [
    "SET acra_enclave.protected = 'decrypted'",
    'SET LOCAL ACRA_enclave.protected TO stored',
    'SET SESSION acra_enclave.other = 1',
    "SELECT set_config('acra_enclave.protected', 'decrypted', false)",
    "SELECT set_config(name, 'x', false) FROM pg_settings WHERE name = 'acra_enclave.protected'",
    'ALTER ROLE app SET acra_enclave.protected = stored',
    'ALTER DATABASE shop SET acra_enclave.protected = stored',
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET acra_enclave.protected = 'stored' AS 'SELECT 1'",
  ]) {
    t.equal(await codeOf(client.query(sql)), '55P02', sql);
    t.equal(await codeOf(asStored.query(sql)), '55P02', sql);
  }
  for (const sql of [
    'RESET acra_enclave.protected',
    'RESET ALL',
    'DISCARD ALL',
    'SET acra_enclave.protected TO DEFAULT',
  ]) {
    await asStored.query(sql);
    t.same((await asStored.query('SHOW acra_enclave.protected')).rows, [{ 'acra_enclave.protected': 'stored' }], sql);
    t.ok(Buffer.isBuffer((await asStored.query('SELECT secret FROM person WHERE id = 1')).rows[0].secret), sql);
  }
});

t.test('ends a session that asks for something of ours that there is not', async (t) => {
  for (const options of ['-c acra_enclave.protcted=stored', '-c acra_enclave.protected=yes']) {
    await t.rejects(guarded.connect(options), { code: '22023' });
  }
});

t.test('has sent the database nothing in plaintext in all of this', async (t) => {
  t.notOk(guarded.heard().includes(MARKER));
  const before = Buffer.from(MARKER).toString('hex');
  t.notOk(guarded.heard().includes(before));
});
