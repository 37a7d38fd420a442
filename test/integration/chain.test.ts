/** The whole chain on one machine: what an application sees, and what whoever holds the database sees. */

import t from 'tap';
import { request } from 'undici';
import { connectDirectly, connectThroughEnclave } from '../../cli/demo/clients.ts';
import { servingStack } from '../support/stack.ts';

t.test('a client’s row becomes ciphertext and comes back as plaintext', async (t) => {
  const { stack, address } = await servingStack(t);
  const application = await connectThroughEnclave(stack, address);
  const owner = await connectDirectly(stack);
  t.teardown(() => Promise.all([application.end(), owner.end()]));
  const stored = async (id: number) =>
    (
      await owner.query<{ email: Buffer; diagnosis: Buffer }>('SELECT email, diagnosis FROM patients WHERE id = $1', [
        id,
      ])
    ).rows[0];
  const readBack = async (id: number) =>
    (await application.query('SELECT name, email, diagnosis FROM patients WHERE id = $1', [id])).rows[0];
  const insert = 'INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $4)';

  await t.test('keeps parameters of the extended protocol secret', async (t) => {
    await application.query(insert, [1, 'Ada', 'ada@example.org', 'gout']);
    const row = await stored(1);
    t.ok(
      row?.email.subarray(33, 36).equals(Buffer.from('%%%')) && row.diagnosis.subarray(0, 3).equals(Buffer.from('%%%')),
    );
    t.notOk(Buffer.concat([row?.email ?? Buffer.of(), row?.diagnosis ?? Buffer.of()]).includes('gout'));
    t.same(await readBack(1), { name: 'Ada', email: 'ada@example.org', diagnosis: 'gout' });
  });

  await t.test('keeps literals of the simple protocol secret', async (t) => {
    await application.query(
      "INSERT INTO patients (id, name, email, diagnosis) VALUES (2, 'Bo', 'bo@example.org', 'it''s gout')",
    );
    t.notOk((await stored(2))?.diagnosis.includes('gout'));
    t.same(await readBack(2), { name: 'Bo', email: 'bo@example.org', diagnosis: "it's gout" });
  });

  await t.test('keeps an UPDATE secret', async (t) => {
    await application.query('UPDATE patients SET diagnosis = $1 WHERE id = 2', ['recovered']);
    t.notOk((await stored(2))?.diagnosis.includes('recovered'));
    t.match(await readBack(2), { diagnosis: 'recovered' });
  });

  await t.test('finds a row by equality on an encrypted column', async (t) => {
    const found = await application.query('SELECT id FROM patients WHERE email = $1', ['bo@example.org']);
    t.same(found.rows, [{ id: 2 }]);
    t.same((await application.query("SELECT id FROM patients WHERE email = 'nobody@example.org'")).rows, []);
  });

  await t.test('encrypts the same value differently each time', async (t) => {
    await application.query(insert, [3, 'C', 'c@example.org', 'gout']);
    t.notOk((await stored(1))?.diagnosis.equals((await stored(3))?.diagnosis ?? Buffer.of()));
  });

  await t.test('keeps 1,000 rows and a large value whole', async (t) => {
    const values = Array.from({ length: 1000 }, (_, i) => `(${1000 + i}, 'n${i}', 'e${i}@example.org', 'd${i}')`).join(
      ',',
    );
    await application.query(`INSERT INTO patients (id, name, email, diagnosis) VALUES ${values}`);
    const { rows } = await application.query<{ id: number; diagnosis: string }>(
      'SELECT id, diagnosis FROM patients WHERE id >= 1000 ORDER BY id',
    );
    t.equal(rows.length, 1000);
    t.ok(rows.every(({ id, diagnosis }) => diagnosis === `d${id - 1000}`));
    const large = 'long '.repeat(400_000);
    await application.query(insert, [4, 'L', 'l@example.org', large]);
    t.ok((await readBack(4)).diagnosis === large);
  });

  await t.test('serves many clients at once', async (t) => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => connectThroughEnclave(stack, address)));
    const answers = await Promise.all(
      clients.map((client) => client.query('SELECT diagnosis FROM patients WHERE id = 1')),
    );
    t.ok(answers.every(({ rows }) => rows[0].diagnosis === 'gout'));
    await Promise.all(clients.map((client) => client.end()));
  });

  await t.test('reports health, readiness, status and metrics on the parent', async (t) => {
    const get = async (path: string) => {
      const { statusCode, body } = await request(stack.enclave.adminUrl + path);
      return { statusCode, text: await body.text() };
    };
    t.equal((await get('/healthz')).statusCode, 200);
    t.equal((await get('/readyz')).statusCode, 200);
    t.match(JSON.parse((await get('/status')).text), {
      state: 'serving',
      simulated: true,
      measurements: { PCR0: /^[0-9a-f]{96}$/ },
    });
    const metrics = (await get('/metrics')).text;
    t.match(metrics, /^acra_enclave_ready 1$/m);
    t.match(metrics, /^acra_enclave_relay_accepted_connections_total\{side="parent",route="ingress"\} [1-9]/m);
    t.equal((await get('/elsewhere')).statusCode, 404);
  });
});
