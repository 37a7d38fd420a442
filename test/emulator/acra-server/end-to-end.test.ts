import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { QueryConfig } from 'pg';
import t from 'tap';
import { startRig } from './support/rig.ts';

const rig = await startRig(t);
const acra = await rig.acra();
t.beforeEach(() => rig.direct((database) => database.query('TRUNCATE person')));

const storedRows = () =>
  rig.direct(async (database) => (await database.query('SELECT * FROM person ORDER BY id')).rows);

t.test('stores ciphertext and shows plaintext: literals, simple protocol', async (t) => {
  await rig.through(acra, async (client) => {
    const { rows } = await client.query(
      `INSERT INTO person VALUES (1, 'ada@example.org', 'it''s 漢字 🙂', '\\x00ff', 'open'), (2, '', E'\\\\x41', NULL, NULL) RETURNING *`,
    );
    const expected = [
      { id: 1, email: 'ada@example.org', secret: "it's 漢字 🙂", blob: Buffer.from([0, 255]), note: 'open' },
      { id: 2, email: '', secret: 'A', blob: null, note: null },
    ];
    t.same(rows, expected);
    t.same((await client.query('SELECT * FROM person ORDER BY id')).rows, expected);
  });
  const [first] = await storedRows();
  for (const name of ['email', 'secret', 'blob']) {
    t.match(first[name].toString('latin1'), /%%%.{8}\xf0""""/s, `${name} is a container`);
  }
  t.equal(first.note, 'open');
});

t.test('stores ciphertext and shows plaintext: parameters, named and binary', async (t) => {
  await rig.through(acra, async (client) => {
    const insert = { name: 'insert', text: 'INSERT INTO person (id, email, secret, blob) VALUES ($1, $2, $3, $4)' };
    await client.query({ ...insert, values: [1, 'a@x', '\\x4142', Buffer.from('\\x4142')] });
    await client.query({ ...insert, values: [2, 'b@x', null, randomBytes(10)] });
    await client.query(`UPDATE person SET secret = $1 WHERE email = $2`, ['changed', 'b@x']);
    const select = { name: 'select', text: 'SELECT secret, blob FROM person WHERE id = $1' };
    t.same((await client.query({ ...select, values: [1] })).rows, [{ secret: 'AB', blob: Buffer.from('\\x4142') }]);
    t.match((await client.query({ ...select, values: [2] })).rows, [{ secret: 'changed' }]);
    const binary: QueryConfig = { text: select.text, values: [1], binary: true } as QueryConfig;
    t.same((await client.query(binary)).rows, [{ secret: 'AB', blob: '\\x4142' }]);
  });
});

t.test('finds rows by equality on a searchable column', async (t) => {
  await rig.through(acra, async (client) => {
    await client.query(`INSERT INTO person (id, email) VALUES (1, 'a@x'), (2, 'b@x'), (3, 'a@x'), (4, '')`);
    const ids = async (where: string, values: unknown[] = []) =>
      (await client.query(`SELECT id FROM person WHERE ${where} ORDER BY id`, values)).rows.map(({ id }) => id);
    t.same(await ids(`email = 'a@x'`), [1, 3]);
    t.same(await ids('email = $1 OR id = $2', ['b@x', 4]), [2, 4]);
    t.same(await ids(`email <> 'a@x'`), [2, 4]);
    t.same(await ids('email = $1', ['']), [], 'an empty value is stored as it is, and not found');
    t.same(await ids(`email = 'nobody'`), []);
    const { rows } = await client.query('SELECT a.id FROM person a JOIN person b ON a.email = b.email AND a.id < b.id');
    t.same(rows, [{ id: 1 }]);
  });
});

t.test('keeps clients apart by their certificates', async (t) => {
  await rig.through(acra, (client) => client.query(`INSERT INTO person (id, secret) VALUES (1, 'of alice')`));
  const [{ secret }] = await storedRows();
  const seenBy = (name: string) =>
    rig.through(acra, async (client) => (await client.query('SELECT secret FROM person')).rows[0].secret, name);
  t.equal(await seenBy('alice'), 'of alice');
  t.equal(await seenBy('bob'), secret.toString(), 'as it is stored, where a text is expected');
  t.equal(await seenBy('mallory'), secret.toString());
});

t.test('ends the session of a client without keys that writes a protected column', async (t) => {
  const attempt = rig.through(
    acra,
    (client) => client.query(`INSERT INTO person (id, secret) VALUES (1, 'p')`),
    'mallory',
  );
  await t.rejects(attempt, { code: '58000', severity: 'FATAL' });
  t.same(await storedRows(), []);
});

t.test('refuses a statement, keeps the session, and the database never sees the plaintext', async (t) => {
  await rig.through(acra, async (client) => {
    const plaintext = 'never-in-the-database';
    const attempts = [
      client.query(`INSERT INTO person (id, secret) VALUES (1, '${plaintext}') ON CONFLICT DO NOTHING`),
      client.query('INSERT INTO person (id, secret) VALUES ($1, upper($2))', [1, plaintext]),
      client.query(`SELECT * FROM person WHERE secret = $1`, [plaintext]),
      client.query(`COPY person FROM STDIN`),
    ];
    for (const attempt of attempts) await t.rejects(attempt, { code: '42000', severity: 'ERROR' });
    await t.rejects(client.query('INSERT INTO person (id, blob) VALUES (1, $1)', ['pl\\ain']), { code: '22P02' });
    await t.rejects(client.query(`INSERT INTO person (id, secret) VALUES (1, 'x' '${plaintext}')`), { code: '42601' });
    t.same((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  });
  t.same(await storedRows(), []);
  const databaseLog = readFileSync(rig.postgres.logFile, 'utf8');
  t.match(databaseLog, 'acra refused', 'statements that fail are logged');
  t.notMatch(databaseLog, 'never-in-the-database');
  t.notMatch(databaseLog, Buffer.from('never-in-the-database').toString('hex'));
  t.notMatch(acra.log(), 'never-in-the-database');
});

t.test('lets a refusal abort the transaction, as any error does', async (t) => {
  await rig.through(acra, async (client) => {
    await client.query('BEGIN');
    await client.query(`INSERT INTO person (id, secret) VALUES (1, 'p')`);
    await t.rejects(client.query(`INSERT INTO person (id, secret) SELECT 2, 'p'`), { code: '42000' });
    await t.rejects(client.query('SELECT 1'), { code: '25P02' });
    await client.query('ROLLBACK');
  });
  t.same(await storedRows(), []);
});

t.test('passes 1,000 rows in one INSERT and a value of 20 MB', { timeout: 60_000 }, async (t) => {
  await rig.through(acra, async (client) => {
    const rows = Array.from({ length: 1000 }, (_, id) => `(${id}, 'user${id}@x', 'secret ${id}')`);
    await client.query(`INSERT INTO person (id, email, secret) VALUES ${rows.join(',')}`);
    const { rows: seen } = await client.query('SELECT id, email, secret FROM person ORDER BY id');
    t.same(
      seen,
      Array.from({ length: 1000 }, (_, id) => ({ id, email: `user${id}@x`, secret: `secret ${id}` })),
    );
    const big = randomBytes(20e6);
    await client.query('INSERT INTO person (id, blob) VALUES (5000, $1)', [big]);
    const {
      rows: [row],
    } = await client.query('SELECT blob FROM person WHERE id = 5000');
    t.ok(big.equals(row.blob));
  });
});

t.test('keeps many sessions apart', async (t) => {
  const session = (number: number) =>
    rig.through(acra, async (client) => {
      for (let index = 0; index < 10; index++) {
        const id = number * 100 + index;
        await client.query('INSERT INTO person (id, email) VALUES ($1, $2)', [id, `${id}@x`]);
        const { rows } = await client.query('SELECT id, email FROM person WHERE email = $1', [`${id}@x`]);
        t.same(rows, [{ id, email: `${id}@x` }]);
      }
    });
  await Promise.all(Array.from({ length: 8 }, (_, number) => session(number)));
});

t.test('decrypts what cursors, COALESCE and expressions give', async (t) => {
  await rig.through(acra, async (client) => {
    await client.query(`INSERT INTO person (id, secret) VALUES (1, 'deep')`);
    await client.query('BEGIN; DECLARE c CURSOR FOR SELECT secret FROM person');
    t.same((await client.query('FETCH c')).rows, [{ secret: Buffer.from('deep') }]);
    await client.query('COMMIT');
    const { rows } = await client.query(
      `SELECT coalesce(secret, 'x') AS c, '<'::bytea || secret AS e, secret::text AS t FROM person`,
    );
    t.same(rows, [{ c: Buffer.from('deep'), e: Buffer.from('<deep'), t: '\\x64656570' }]);
    await client.query(`SET bytea_output = 'escape'`);
    t.same((await client.query('SELECT secret FROM person')).rows, [{ secret: 'deep' }]);
  });
});

t.test('leaves statements alone that touch no protected column', async (t) => {
  await rig.through(acra, async (client) => {
    await client.query('CREATE TEMP TABLE other (secret text)');
    await client.query(`INSERT INTO other VALUES ('kept') ON CONFLICT DO NOTHING`);
    t.same((await client.query('SELECT secret FROM other')).rows, [{ secret: 'kept' }]);
  });
});

t.test('stops with code 0 on SIGTERM, with a session open', async (t) => {
  const other = await rig.acra();
  await rig.through(other, async (client) => {
    const gone = new Promise((resolve) => client.once('end', resolve));
    other.child.kill('SIGTERM');
    t.equal(await other.ended, 0);
    await gone;
  });
});
