/** What lies outside and may come back is waited for; the status says what, and nothing reaches the database in clear. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import pg from 'pg';
import t from 'tap';
import { connectDirectly, connectThroughEnclave } from '../../cli/demo/clients.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import { logLines, prepareStack, servingStack, step } from '../support/stack.ts';

const PERSON = { user: 'application', password: 'x', database: 'records' };

async function start(stack: Stack): Promise<void> {
  await stack.allowMeasuredEnclave();
  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
}

const waitsFor = (stack: Stack, errorCode: string) =>
  stack.enclave.until((status) => status.enclave?.errorCode === errorCode, step());

/** A port where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

t.test('waits while KMS throttles, and then serves (KMS_THROTTLED)', async (t) => {
  const stack = await prepareStack(t);
  stack.parts.cloud.kms.faults.next('Decrypt', { kind: 'throttle' }, 3);
  await start(stack);
  const status = await waitsFor(stack, 'KMS_THROTTLED');
  t.match(status, {
    state: 'booting',
    publicAddress: null,
    enclave: { phase: 'master-key', detail: /waiting for KMS/ },
  });
  await stack.enclave.untilServing(step());
  const retries = logLines(stack.enclave, 'supervisor').filter(({ event }) => event === 'boot.retry');
  t.equal(retries.length, 3);
  const waits = retries.map(({ waitMs }) => Number(waitMs));
  t.ok((waits[2] ?? 0) > (waits[0] ?? 0), `waits grow: ${waits}`);
});

t.test('fetches new credentials when KMS calls them expired', async (t) => {
  const stack = await prepareStack(t);
  stack.parts.cloud.kms.faults.next('Decrypt', { kind: 'expired-token' });
  await start(stack);
  await stack.enclave.untilServing(step());
  t.ok(
    logLines(stack.enclave, 'supervisor').some(
      ({ event, code }) => event === 'boot.retry' && code === 'KMS_CREDENTIALS_EXPIRED',
    ),
  );
});

t.test('refreshes credentials ahead of their expiry while it serves', async (t) => {
  const { stack } = await servingStack(t, { credentialLifetimeMs: 5 * 60_000 + 12_000 });
  t.ok(stack, 'credentials that live little longer than the margin are renewed within seconds');
  for (;;) {
    if (logLines(stack.enclave, 'supervisor').some(({ event }) => event === 'credentials.refreshed')) break;
    await stack.enclave.until(() => true, step());
    await new Promise((resolve) => setImmediate(resolve));
  }
});

t.test('waits for a metadata service that is down (CREDENTIALS_UNAVAILABLE)', async (t) => {
  const stack = await prepareStack(t, { hostSettings: { imds: { connect: `tcp://127.0.0.1:${await closedPort()}` } } });
  await start(stack);
  t.match(await waitsFor(stack, 'CREDENTIALS_UNAVAILABLE'), {
    state: 'booting',
    publicAddress: null,
    enclave: { phase: 'credentials' },
  });
});

t.test('gives up at the deadline of the phase, and names what it waited for (BOOT_DEADLINE)', async (t) => {
  const stack = await prepareStack(t, {
    hostSettings: { imds: { connect: `tcp://127.0.0.1:${await closedPort()}` } },
    enclaveSettings: { deadlines: { credentialsMs: 1500 } },
  });
  await start(stack);
  const status = await waitsFor(stack, 'BOOT_DEADLINE');
  t.match(status.enclave?.detail, /credentials.*waiting for role credentials.*CREDENTIALS_UNAVAILABLE/s);
  t.not((await stack.enclave.supervisor?.exited)?.code, 0);
});

t.test('waits for a database that is down (BOOT_DATABASE_UNREACHABLE)', async (t) => {
  const stack = await prepareStack(t, {
    hostSettings: { database: { connect: `tcp://127.0.0.1:${await closedPort()}` } },
  });
  await start(stack);
  t.match(await waitsFor(stack, 'BOOT_DATABASE_UNREACHABLE'), {
    state: 'booting',
    publicAddress: null,
    enclave: { phase: 'ready' },
  });
});

t.test('serves a database that its certificate names by address', async (t) => {
  const database = { serverName: '127.0.0.1', listen: 'tcp://127.0.0.1:0' };
  const { stack, address } = await servingStack(t, { enclaveSettings: { database } });
  const session = await connectThroughEnclave(stack, address);
  t.same((await session.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  await session.end();
});

t.test('waits for a database whose certificate is for another name, and says what is wrong', async (t) => {
  const database = { serverName: '127.0.0.2', listen: 'tcp://127.0.0.1:0' };
  const stack = await prepareStack(t, { enclaveSettings: { database } });
  await start(stack);
  const { enclave } = await waitsFor(stack, 'BOOT_DATABASE_UNTRUSTED');
  t.match(enclave?.detail, /ALTNAME_INVALID.*IP: 127\.0\.0\.2 is not in the cert's list: 127\.0\.0\.1/);
});

t.test('sends nothing to a database without TLS (BOOT_DATABASE_NO_TLS)', async (t) => {
  const stack = await prepareStack(t, { databaseTls: false });
  await start(stack);
  t.match(await waitsFor(stack, 'BOOT_DATABASE_NO_TLS'), {
    state: 'booting',
    publicAddress: null,
    enclave: { phase: 'ready' },
  });
});

t.test(
  'turns red when the database goes away while it serves, stores nothing meanwhile, and turns green again',
  async (t) => {
    const { stack, address } = await servingStack(t, { enclaveSettings: { health: { probeIntervalMs: 200 } } });
    const { postgres } = stack.parts;
    process.kill(postgres.pid, 'SIGSTOP');
    const red = await stack.enclave.until(({ state }) => state === 'degraded', step());
    t.equal(red.ready, false);
    process.kill(postgres.pid, 'SIGCONT');
    await stack.enclave.untilServing(step());
    const application = await connectThroughEnclave(stack, address);
    await application.query(
      "INSERT INTO patients (id, name, email, diagnosis) VALUES (1, 'A', 'a@example.org', 'gout')",
    );
    const owner = await connectDirectly(stack);
    const { rows } = await owner.query<{ diagnosis: Buffer }>('SELECT diagnosis FROM patients');
    t.ok(rows.length === 1 && rows[0]?.diagnosis.subarray(0, 3).equals(Buffer.from('%%%')));
    await Promise.all([application.end(), owner.end()]);
  },
);

t.test('refuses a client that does not ask for TLS, with an error that says so', async (t) => {
  const { address } = await servingStack(t);
  const client = new pg.Client({ ...PERSON, ...address, ssl: false });
  client.on('error', () => undefined);
  await t.rejects(client.connect(), { message: /TLS/i });
});

t.test('refuses a client whose certificate another authority signed', async (t) => {
  const { stack, address } = await servingStack(t);
  const { database } = stack.parts.certificates;
  const ssl = {
    ca: stack.parts.certificates.applicationCaPem,
    cert: database.certificatePem,
    key: database.privateKeyPem,
    servername: 'records.demo.internal',
  };
  const client = new pg.Client({ ...PERSON, ...address, ssl });
  client.on('error', () => undefined);
  await t.rejects(client.connect());
});
