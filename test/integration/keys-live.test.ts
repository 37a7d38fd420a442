/** Every kind of key is exchanged, again and again, while clients of several kinds work without a break: none of them notices. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { connectThroughEnclave, libpqConninfo } from '../../cli/demo/clients.ts';
import { APPLICATION } from '../../cli/demo/database.ts';
import type { StackOptions } from '../../cli/demo/stack.ts';
import type { KeyAction } from '../../keys/requests/key-request.ts';
import { INSERT, SELECT, worker } from '../supervisor/workloads/sessions/support/worker.ts';
import { withoutPsql } from '../support/psql.ts';
import { prepareStack, step } from '../support/stack.ts';
import { connect, Keys, tellDatabase } from './support/key-desk.ts';
import { shownCertificate } from './support/shown-certificate.ts';

async function serving(t: Test, options: Partial<StackOptions>, clientsAtFirst: number) {
  const stack = await prepareStack(t, { keysSource: 'parent', ...options });
  await stack.allowMeasuredEnclave();
  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  const keys = new Keys(stack);
  await keys.untilAwaited();
  const first = await keys.ceremony(keys.clientIds.slice(0, clientsAtFirst));
  if (options.enclaveSettings === undefined) await tellDatabase(stack, first);
  await keys.take(first);
  const address = await stack.enclave.untilServing(step());
  return { stack, keys, address, pem: (await shownCertificate(address)).toString() };
}

/** A session of psql that copies rows in: its COPY is open until `finish`. */
function psqlCopy(conninfo: string) {
  const psql = spawn('psql', [conninfo, '-AtXq', '-v', 'ON_ERROR_STOP=1'], { stdio: 'pipe' });
  const outputs = Promise.all([text(psql.stdout), text(psql.stderr)]);
  const row = (id: number) => `${id}\tB\t${id}@copy.org\tflu\n`;
  psql.stdin.write(`SELECT 'begun';\nCOPY patients (id, name, email, diagnosis) FROM STDIN;\n${row(501)}`);
  return {
    begun: new Promise<void>((resolve) => psql.stdout.once('data', () => resolve())),
    finish: async () => {
      psql.stdin.end(`${row(502)}\\.\nSELECT diagnosis FROM patients WHERE id IN (501, 502);\n`);
      const [stdout, stderr] = await outputs;
      return { stdout, stderr };
    },
  };
}

t.test('exchanges every key without costing a session', { skip: withoutPsql }, async (t) => {
  const { stack, keys, address, pem } = await serving(t, { otherClients: ['reports'] }, 2);
  const [reports] = stack.parts.certificates.otherClients;
  const sessions = [await connect(stack, address), await connect(stack, address, reports)];
  const workers = sessions.map((client, index) => worker(client, 10_000 * (index + 1)));
  const inTransaction = await connect(stack, address);
  await inTransaction.query('BEGIN');
  await inTransaction.query(INSERT, [1, 'A', 'a@example.org', 'gout']);
  const ca = join(stack.options.root, 'client', 'shown.pem');
  writeFileSync(ca, pem);
  const { certificate: cert, key } = stack.parts.clientFiles;
  const copying = psqlCopy(libpqConninfo(address, { ca, cert, key }));
  await copying.begun;

  const clients = [...keys.clientIds];
  const changes: readonly KeyAction[] = [
    { kind: 'rotate-master' },
    { kind: 'add-clients', clients: ['a'.repeat(128)] },
    { kind: 'rotate-data', clients },
    { kind: 'rotate-database', user: APPLICATION.user },
    { kind: 'rotate-tls' },
    { kind: 'rotate-master' },
  ];
  for (const action of changes) {
    const rounds = workers.map((each) => each.rounds);
    if (action.kind === 'rotate-tls') await keys.change(keys.signed(await keys.request(action)));
    else await keys.take(await keys.make(action));
    await Promise.all(workers.map((each, index) => each.until((rounds[index] ?? 0) + 2)));
    const another = await connect(stack, address);
    sessions.push(another);
    t.same((await another.query(SELECT, [10_000])).rows, [
      { email: '10000@example.org', diagnosis: 'diagnosis 10000' },
    ]);
  }

  const { stdout, stderr } = await copying.finish();
  t.equal(stdout, 'begun\nflu\nflu\n', stderr);
  t.same((await inTransaction.query(SELECT, [1])).rows, [{ email: 'a@example.org', diagnosis: 'gout' }]);
  await inTransaction.query('COMMIT');
  for (const each of workers) await each.end();
  for (const each of [...sessions, inTransaction]) await each.end();
});

t.test('lets a client come as soon as it has keys, beside others that work', async (t) => {
  const enclaveSettings = { database: { login: 'client', users: undefined } };
  const { stack, keys, address, pem } = await serving(t, { otherClients: ['late'], enclaveSettings }, 1);
  const { parts } = stack;
  const trusting = { parts: { ...parts, certificates: { ...parts.certificates, applicationCaPem: pem } } };
  const [late] = parts.certificates.otherClients;
  const [, lateId = ''] = keys.clientIds;
  const client = await connectThroughEnclave(trusting, address);
  const working = worker(client, 10_000);
  await t.rejects(connectThroughEnclave(trusting, address, late), { code: '28000' });
  await keys.take(await keys.make({ kind: 'add-clients', clients: [lateId] }));
  const added = await connectThroughEnclave(trusting, address, late);
  await added.query(INSERT, [1, 'A', 'a@example.org', 'gout']);
  t.same((await added.query(SELECT, [1])).rows, [{ email: 'a@example.org', diagnosis: 'gout' }]);
  t.ok((await working.end()) > 0);
  for (const each of [client, added]) await each.end();
});
