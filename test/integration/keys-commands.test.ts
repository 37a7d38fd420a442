/** The whole life of keys by an operator’s commands alone, with a real enclave (simulated), KMS (emulated) and database: nobody else touches them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { writeVerificationFiles } from '../../cli/demo/verification.ts';
import { acraEnclave } from '../cli/support/acra-enclave.ts';
import { prepareStack, step } from '../support/stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { connect } from './support/key-desk.ts';
import { changeInDatabase } from './support/verifier-login.ts';

t.test('ceremony, rows, a further client, another master key, restarts of both daemons, audit', async (t) => {
  const folder = temporaryFolder(t);
  const keysFolder = join(folder, 'keys');
  const stack = await prepareStack(t, {
    keysSource: 'parent',
    hostSettings: { keys: { folder: keysFolder } },
  });
  await stack.allowMeasuredEnclave();
  const { measurements, trustRoot } = await writeVerificationFiles(stack);
  const { operators, certificates } = stack.parts;
  const client = join(folder, 'client.pem');
  const other = join(folder, 'other.pem');
  writeFileSync(client, certificates.client.certificatePem);
  const comer = await certificates.applicationCa.issue({ commonName: 'comer', kind: 'client' });
  writeFileSync(other, comer.certificatePem);
  const daemon = ['--config', join(stack.options.root, 'host-proxy.yaml')];
  const key = operators[0]?.privateKeyFile ?? '';
  const change = [
    '--enclave',
    stack.enclaveFolder,
    '--measurements',
    measurements,
    '--trust-root',
    trustRoot,
    '--key',
    key,
  ];
  const run = async (...words: readonly string[]) => {
    const { code, stdout, stderr } = await acraEnclave(['keys', ...words, ...daemon, '--json']);
    t.equal(code, 0, `${words.slice(0, 2).join(' ')}: ${stderr}`);
    return JSON.parse(stdout);
  };

  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  await stack.enclave.until(({ reason }) => reason?.code === 'HOST_KEYS_MISSING', step());

  const first = await run('ceremony', ...change, '--client', client);
  t.match(first, {
    generation: 1,
    taken: true,
    judged: true,
    database: [/^ALTER ROLE "application" PASSWORD 'SCRAM-SHA-256\$/],
  });
  const verifier = /'(SCRAM[^']+)'/.exec(first.database[0])?.[1] ?? '';
  await changeInDatabase(stack, verifier);
  const session = await connect(stack, await stack.enclave.untilServing(step()));
  await session.query("INSERT INTO patients VALUES (1, 'Ada', 'ada@example.org', 'well')");

  t.match(await run('add-client', ...change, '--client', other), { generation: 2, taken: true });
  const rotated = await run('rotate', 'master', ...change);
  t.match(rotated, { generation: 3, taken: true });
  const read = "SELECT diagnosis FROM patients WHERE email = 'ada@example.org'";
  t.same((await session.query(read)).rows, [{ diagnosis: 'well' }], 'the session goes on');
  await session.end();

  await stack.enclave.supervisor?.stop();
  await stack.enclave.hostProxy?.stop();
  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  const again = await connect(stack, await stack.enclave.untilServing(step()));
  t.same((await again.query(read)).rows, [{ diagnosis: 'well' }], 'after restarts it is read with the newest set');
  await again.end();

  const status = await run('status', '--enclave', stack.enclaveFolder);
  t.match(status, {
    enclave: { taken: { generation: 3, sha256: rotated.sha256 }, ceremony: false },
    rollbackExcluded: false,
  });
  t.match((await run('list')).sets, [{ clients: 1 }, { clients: 2 }, { clients: 2, inUse: true }]);
  const proof = ['--measurements', measurements, '--trust-root', trustRoot, '--head', rotated.head];
  t.match(await run('audit', 'verify', join(keysFolder, 'audit.jsonl'), ...proof), { holds: true, sets: 3, since: 1 });
});
