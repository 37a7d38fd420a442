/**
 * Reads from a standby: a second enclave, with the same keys, whose database is the standby. Nothing else is different, and a client that names both tells
 * them apart as it tells PostgreSQL's own apart.
 */
import { join } from 'node:path';
import pg from 'pg';
import t, { type Test } from 'tap';
import { ENCLAVE_NAME } from '../../cli/demo/certificates.ts';
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import { APPLICATION, DATABASE } from '../../cli/demo/database.ts';
import { EnclavePair } from '../../cli/demo/enclave-pair.ts';
import { outsideSections } from '../../cli/demo/parts.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import type { RunningPostgres } from '../../emulator/postgres/server.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { askPsql, withoutPsql } from '../support/psql.ts';
import { servingStack, step } from '../support/stack.ts';
import { REPLICATOR, startStandby } from '../support/standby.ts';

const INSERT = "INSERT INTO patients (id, name, email, diagnosis) VALUES (1, 'A', 'a@example.org', 'gout')";
const BY_EMAIL = "SELECT id, diagnosis FROM patients WHERE email = 'a@example.org'";

async function standbyOf(t: Test, { options, parts }: Stack): Promise<RunningPostgres> {
  const { certificatePem: certPem, privateKeyPem: keyPem } = parts.certificates.database;
  const standby = await startStandby(parts.postgres, join(options.root, 'pg'), {
    folder: join(options.root, 'standby'),
    users: [REPLICATOR],
    database: DATABASE,
    tls: { certPem, keyPem },
    durable: false,
    removeOnStop: true,
    signal: step(),
  });
  t.teardown(() => standby.stop());
  return standby;
}

async function enclaveBefore(t: Test, stack: Stack, { host, port }: RunningPostgres): Promise<TcpEndpoint> {
  const { cloud } = stack.parts;
  const pair = new EnclavePair({
    root: join(stack.options.root, 'r'),
    enclaveFolder: stack.enclaveFolder,
    nsmFolder: join(stack.options.root, 'sim', 'nsm'),
    parent: { roleArn: cloud.roleArn, instanceId: cloud.imds.instanceId },
    hostSettings: { ...outsideSections(stack.parts), database: { connect: `tcp://${host}:${port}` } },
    environment: {},
  });
  t.teardown(() => pair.stop());
  await pair.start();
  return pair.untilServing(step());
}

t.test('an enclave whose database is a standby', async (t) => {
  const { stack, address } = await servingStack(t, { databaseServer: { replicator: REPLICATOR } });
  const reading = await enclaveBefore(t, stack, await standbyOf(t, stack));
  const writer = await connectThroughEnclave(stack, address);
  const reader = await connectThroughEnclave(stack, reading);
  t.teardown(() => Promise.all([writer.end(), reader.end()]));

  await t.test('reads what was written through the other one, by the searchable column too', async (t) => {
    await writer.query(INSERT);
    let rows: unknown[] = [];
    while (rows.length === 0) ({ rows } = await reader.query(BY_EMAIL));
    t.same(rows, [{ id: 1, diagnosis: 'gout' }]);
  });

  await t.test('refuses to write, as the standby does (25006)', (t) =>
    t.rejects(reader.query(INSERT.replace('(1,', '(2,')), { code: '25006' }),
  );

  await t.test('takes default_transaction_read_only of a client (25006)', async (t) => {
    const { applicationCaPem: ca, client } = stack.parts.certificates;
    const ssl = { ca, cert: client.certificatePem, key: client.privateKeyPem, servername: ENCLAVE_NAME };
    const { host, port } = address;
    const options = '-c default_transaction_read_only=on';
    const session = new pg.Client({ host, port, database: DATABASE, ...APPLICATION, ssl, options });
    await session.connect();
    await t.rejects(session.query(INSERT.replace('(1,', '(3,')), { code: '25006' });
    await session.end();
  });

  for (const [attributes, isStandby] of [
    ['read-write', 'f'],
    ['primary', 'f'],
    ['standby', 't'],
    ['prefer-standby', 't'],
    ['read-only', 't'],
  ] as const)
    await t.test(`libpq finds the one that it wants (${attributes})`, { skip: withoutPsql }, async (t) => {
      const { applicationCa, certificate, key } = stack.parts.clientFiles;
      const files = `sslmode=verify-full sslrootcert=${applicationCa} sslcert=${certificate} sslkey=${key}`;
      for (const ports of [`${reading.port},${address.port}`, `${address.port},${reading.port}`]) {
        const where = `host=localhost,localhost port=${ports} dbname=${DATABASE} user=${APPLICATION.user}`;
        const conninfo = `${where} ${files} target_session_attrs=${attributes}`;
        t.equal(await askPsql(conninfo, '', 'SELECT pg_is_in_recovery()'), isStandby);
      }
    });
});
