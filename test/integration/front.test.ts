/** The whole product where TLS ends in the enclave, with clients at their defaults. */
import pg from 'pg';
import t from 'tap';
import { ENCLAVE_NAME } from '../../cli/demo/certificates.ts';
import { connectDirectly, connectThroughEnclave } from '../../cli/demo/clients.ts';
import { DATABASE } from '../../cli/demo/database.ts';
import { createAuthority } from '../../emulator/pki/authority.ts';
import { systemClock } from '../../runtime/clock.ts';
import { acraPid, childPid, launchedPids, servingStack, step } from '../support/stack.ts';

const INSERT = 'INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $4)';
const DIAGNOSIS = 'SELECT diagnosis FROM patients WHERE id = $1';

/** The enclave hears of a session's end a moment later than its client. */
async function onceThereIsRoom(connect: () => Promise<pg.Client>): Promise<pg.Client> {
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      if (!(error instanceof pg.DatabaseError && error.code === '53300')) throw error;
    }
  }
}

t.test('sessions through front, guard and engine', async (t) => {
  const { stack, address } = await servingStack(t, {
    otherClients: ['second'],
    enclaveSettings: { acra: { maxRunning: 1 } },
  });
  const { enclave, parts } = stack;
  const { applicationCaPem, client: application, otherClients } = parts.certificates;
  const connect = () => connectThroughEnclave(stack, address);
  const owner = await connectDirectly(stack);
  t.teardown(() => owner.end());
  const pids = () => [enclave.supervisor?.pid, enclave.hostProxy?.pid];

  await t.test('serves a client by its certificate alone, and stores ciphertext', async (t) => {
    const ssl = { ca: applicationCaPem, cert: application.certificatePem, key: application.privateKeyPem };
    const { host, port } = address;
    const client = new pg.Client({
      host,
      port,
      user: 'application',
      database: DATABASE,
      ssl: { ...ssl, servername: ENCLAVE_NAME },
    });
    await client.connect();
    await client.query(`INSERT INTO patients (id, name, email, diagnosis) VALUES (1, 'Ada', 'ada@example.org', 'flu')`);
    await client.query(INSERT, [2, 'Bob', 'bob@example.org', 'gout']);
    const { rows } = await client.query('SELECT id, name, email, diagnosis FROM patients ORDER BY id');
    t.same(rows, [
      { id: 1, name: 'Ada', email: 'ada@example.org', diagnosis: 'flu' },
      { id: 2, name: 'Bob', email: 'bob@example.org', diagnosis: 'gout' },
    ]);
    t.same((await client.query('SELECT id FROM patients WHERE email = $1', ['bob@example.org'])).rows, [{ id: 2 }]);
    const stored = await owner.query('SELECT email, diagnosis FROM patients ORDER BY id');
    for (const { email, diagnosis } of stored.rows) {
      t.equal(email[0], 0x7f);
      t.equal(diagnosis.toString('latin1', 0, 3), '%%%');
    }
    await client.end();
  });

  await t.test('refuses a statement that would store plaintext, fails its transaction, and goes on', async (t) => {
    const client = await connect();
    await client.query('BEGIN');
    await client.query(INSERT, [3, 'C', 'c@example.org', 'kept back']);
    const refused = client.query(`INSERT INTO patients (id, name, diagnosis) SELECT 4, 'D', lower('plaintext')`);
    await t.rejects(refused, { code: '0A000', message: /^refused by acra-enclave: / });
    await t.rejects(client.query('SELECT 1'), { code: '25P02' }, 'the transaction is failed in the database too');
    await client.query('COMMIT');
    t.same((await client.query('SELECT id FROM patients WHERE id IN (3, 4)')).rows, []);
    await client.end();
  });

  await t.test('refuses a user, a database and a certificate that enclave.yaml does not name, in words', async (t) => {
    const { host, port } = address;
    const stranger = await createAuthority({ commonName: 'stranger', clock: systemClock });
    const foreign = await stranger.issue({ commonName: 'demo-application', kind: 'client' });
    const tryAs = (user: string, database: string, { certificatePem, privateKeyPem } = application) => {
      const ssl = { ca: applicationCaPem, cert: certificatePem, key: privateKeyPem, servername: ENCLAVE_NAME };
      const client = new pg.Client({ host, port, user, database, ssl });
      client.on('error', () => undefined);
      return client.connect();
    };
    await t.rejects(tryAs('owner', DATABASE), { code: '28000', message: /may not be user "owner".* "application"/ });
    await t.rejects(tryAs('application', 'postgres'), {
      code: '28000',
      message: /may not use database "postgres".* "records"/,
    });
    await t.rejects(tryAs('application', DATABASE, foreign), {
      code: '28000',
      message: /valid client certificate: its CA is not known/,
    });
  });

  await t.test(
    'serves as many identities at once as there is room for, each by an acra-server of its own',
    async (t) => {
      const [second] = otherClients;
      const first = await connect();
      await t.rejects(connectThroughEnclave(stack, address, second), {
        code: '53300',
        message: /none of them is idle/,
      });
      await first.end();
      const other = await onceThereIsRoom(() => connectThroughEnclave(stack, address, second));
      await other.query(INSERT, [5, 'E', 'e@example.org', 'of another']);
      t.same((await other.query(DIAGNOSIS, [5])).rows, [{ diagnosis: 'of another' }]);
      const notItsOwn = (await other.query(DIAGNOSIS, [1])).rows[0]?.diagnosis;
      t.notMatch(notItsOwn, 'flu', 'keys are apart');
      await other.end();
      const again = await onceThereIsRoom(connect);
      t.same((await again.query(DIAGNOSIS, [1])).rows, [{ diagnosis: 'flu' }]);
      await again.end();
    },
  );

  await t.test('keeps a session when its acra-server is killed, and answers right', async (t) => {
    const client = await connect();
    await client.query('BEGIN');
    const pid = acraPid(enclave);
    process.kill(pid, 'SIGKILL');
    t.same((await client.query(DIAGNOSIS, [1])).rows, [{ diagnosis: 'flu' }]);
    await client.query('COMMIT');
    t.not(acraPid(enclave), pid);
    await client.end();
  });

  await t.test('brings a guard and the front back, and touches nobody else', async (t) => {
    const before = pids();
    const acra = acraPid(enclave);
    for (const kind of ['guard', 'front'] as const) {
      const session = await connect();
      const ended = new Promise<void>((resolve) => session.once('end', () => resolve()));
      const pid = childPid(enclave, kind);
      const launches = launchedPids(enclave, kind).length;
      process.kill(pid, 'SIGKILL');
      await ended;
      await enclave.until((status) => status.ready && launchedPids(enclave, kind).length > launches, step());
      const fresh = await connect();
      t.same((await fresh.query(DIAGNOSIS, [1])).rows, [{ diagnosis: 'flu' }], kind);
      await fresh.end();
    }
    t.same(pids(), before);
    t.equal(acraPid(enclave), acra);
  });

  await t.test('ends idle sessions with 57P01 when it stops, and those in a transaction when that ends', async (t) => {
    const [idle, busy] = [await connect(), await connect()];
    await busy.query('BEGIN');
    const told = new Promise<unknown>((resolve) => idle.once('error', resolve));
    const stopped = enclave.supervisor?.stop();
    t.match(await told, { code: '57P01' });
    t.same((await busy.query(DIAGNOSIS, [1])).rows, [{ diagnosis: 'flu' }], 'a transaction may finish');
    const busyTold = new Promise<unknown>((resolve) => busy.once('error', resolve));
    await busy.query('COMMIT').catch(() => undefined);
    t.match(await busyTold, { code: '57P01' });
    t.same(await stopped, { code: 0, signal: null });
  });
});
