/** The whole way of keys that an enclave makes, by commands alone: ceremony, further clients, rotation, restarts, what is told of it. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { keptKeys } from './support/kept-keys.ts';

t.test('keys live from the ceremony to a restart by commands alone, and the audit log holds', async (t) => {
  const { folder, enclave, machine, keys, keysFolder, trustRoot, proof, startDaemon, killDaemon, run } = await keptKeys(
    t,
    ['alice'],
  );
  const [key = ''] = keys;
  const change = ['--enclave', folder.enclave, '--key', key, ...proof];
  await startDaemon();
  await machine.connect();

  const waiting = await run('status', '--enclave', folder.enclave);
  t.equal(waiting.code, 1);
  t.match(waiting.stdout, /none: it waits[\s\S]*it would hold one[\s\S]*HOST_KEYS_MISSING[\s\S]*rollback not excluded/);

  const made = await run('ceremony', ...change, '--client', folder.firstClient);
  t.equal(made.code, 0, made.stderr);
  t.match(made.stdout, 'make the first keys of this enclave');
  t.match(made.stdout, '"CN=first application"');
  t.match(made.stdout, `generation 1`);
  t.match(made.stdout, `in use the enclave works with it`);
  t.match(made.stdout, `ALTER ROLE "app" PASSWORD 'SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy';`);
  t.match(made.stdout, 'rollback is not excluded');
  t.match(made.stdout, 'set `keys.ceremony: refused`', 'as docs/keys.md has it');

  const second = folder.client();
  const added = await run('add-client', ...change, '--client', second, '--json');
  t.equal(added.code, 0, added.stderr);
  t.match(JSON.parse(added.stdout), { generation: 2, taken: true, judged: true, database: [] });
  const kms = await run('rotate', 'kms', ...change);
  t.match(
    kms.stdout,
    /the set is under arn:aws:kms:\S+ alone/,
    'and nobody is told to disable the key that it is under',
  );
  const rotated = await run('rotate', 'master', ...change, '--json');
  t.equal(rotated.code, 0, rotated.stderr);
  const { head, sha256 } = JSON.parse(rotated.stdout);
  t.equal(sha256, enclave.takenSha256);

  await killDaemon();
  await startDaemon();
  await machine.reboot();
  const status = async () => JSON.parse((await run('status', '--json')).stdout);
  let now = await status();
  while (now.enclave?.taken === null) now = await status();
  t.match(now, { enclave: { taken: { generation: 4, sha256 } }, parent: { problem: null, sets: 4 } });
  const well = await run('status');
  t.equal(well.code, 0, well.stdout);

  const listed = JSON.parse((await run('list', '--json')).stdout);
  t.match(listed.sets, [
    { generation: 1, action: 'ceremony', inUse: false },
    { generation: 2, action: 'add-clients', clients: 2, inUse: false },
    { generation: 3, action: 'rotate-kms', inUse: false },
    { generation: 4, action: 'rotate-master', clients: 2, inUse: true, broughtFirst: true },
  ]);
  t.match((await run('list', '--enclave', folder.enclave)).stdout, 'signed by alice');

  const audit = await run('audit', 'verify', '--trust-root', trustRoot, '--head', head);
  t.equal(audit.code, 0, audit.stdout + audit.stderr);
  t.match(audit.stdout, /holds from the first line to the last[\s\S]*1 line since the head/);
  t.equal(readdirSync(keysFolder).filter((name) => name.startsWith('00000')).length, 4, join(keysFolder));
});
