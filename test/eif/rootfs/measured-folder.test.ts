/** Exactly what enclave.yaml names goes into the image, with modes and owners by rule. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ConfigError } from '../../../config/errors.ts';
import { EifBuildError } from '../../../eif/build-errors.ts';
import { measuredFolder } from '../../../eif/rootfs/measured-folder.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { writeMeasuredFolder } from '../image/support/measured-folder.ts';

function folder(t: Test): string {
  return writeMeasuredFolder(join(temporaryFolder(t), 'enclave'));
}

t.test('keeps every named file, with the modes that acra-server wants of its keystore', async (t) => {
  const { files, folders } = await measuredFolder(folder(t));
  const modes = Object.fromEntries(
    [...files, ...folders].map(({ name, mode, owner = 0 }) => [name, `${mode.toString(8)} ${owner}`]),
  );
  t.same(modes, {
    'enclave/enclave.yaml': '644 0',
    'enclave/encryptor.yaml': '644 0',
    'enclave/master-key.json': '600 0',
    'enclave/tls': '755 0',
    'enclave/tls/client-ca.pem': '644 0',
    'enclave/tls/database-ca.pem': '644 0',
    'enclave/tls/server.pem': '644 0',
    'enclave/tls/server.key.sealed': '600 0',
    'enclave/keystore': '700 1000',
    'enclave/keystore/.poison_key': '700 1000',
    'enclave/keystore/.poison_key/poison_key_sym': '600 1000',
    'enclave/keystore/client_hmac': '600 1000',
    'enclave/keystore/client_storage.pub': '644 1000',
  });
});

t.test('keeps keys that were rotated out, with the modes of the current ones', async (t) => {
  const path = folder(t);
  const time = '2026-11-30T12:00:05.12';
  for (const name of ['client_hmac', 'client_storage.pub']) {
    mkdirSync(join(path, `keystore/${name}.old`), { mode: 0o755 });
    writeFileSync(join(path, `keystore/${name}.old/${time}`), 'old', { mode: 0o640 });
  }
  const { files, folders } = await measuredFolder(path);
  const rotated = [...files, ...folders].filter(({ name }) => name.includes('.old'));
  t.same(Object.fromEntries(rotated.map(({ name, mode, owner }) => [name, `${mode.toString(8)} ${owner}`])), {
    'enclave/keystore/client_hmac.old': '700 1000',
    [`enclave/keystore/client_hmac.old/${time}`]: '600 1000',
    'enclave/keystore/client_storage.pub.old': '700 1000',
    [`enclave/keystore/client_storage.pub.old/${time}`]: '644 1000',
  });
});

t.test('keeps sealed passwords of database users, readable by root alone, and demands them', async (t) => {
  const path = folder(t);
  const yaml = readFileSync(join(path, 'enclave.yaml'), 'utf8');
  const users =
    'users: [{name: app, clients: [CN=a]}, {name: other, clients: [CN=a], secret: deep/er/secret, nextSecret: deep/er/next}]';
  const terminating = yaml
    .replace('tls: passthrough', 'tls: terminate')
    .replace('db.example', `db.example\n  ${users}`);
  writeFileSync(join(path, 'enclave.yaml'), terminating);
  await rejectsCode(() => measuredFolder(path), EifBuildError, 'EIF_BUILD_FILE_MISSING');
  mkdirSync(join(path, 'database'), { mode: 0o700 });
  mkdirSync(join(path, 'deep/er'), { recursive: true, mode: 0o700 });
  for (const name of ['database/app.sealed', 'deep/er/secret', 'deep/er/next'])
    writeFileSync(join(path, name), 'sealed', { mode: 0o644 });
  const { files, folders } = await measuredFolder(path);
  const modes = new Map(
    [...files, ...folders].map(({ name, mode, owner = 0 }) => [name, `${mode.toString(8)} ${owner}`]),
  );
  t.equal(modes.get('enclave/database/app.sealed'), '600 0');
  t.equal(modes.get('enclave/deep/er/secret'), '600 0');
  t.equal(modes.get('enclave/deep/er'), '755 0');
});

t.test(
  'keeps operators’ keys in the place of sealed ones, and refuses those, where the parent keeps the keys',
  async (t) => {
    const path = folder(t);
    const yaml = readFileSync(join(path, 'enclave.yaml'), 'utf8');
    const keys =
      'tls: {key: attested, names: [db.example]}\nkeys: {source: parent, operators: [{name: anna, key: operators/anna.pem}]}\n';
    writeFileSync(
      join(path, 'enclave.yaml'),
      yaml.replace('tls: passthrough', 'tls: terminate').replace('db.example', 'db.example\n  login: client') + keys,
    );
    await rejectsCode(() => measuredFolder(path), EifBuildError, 'EIF_BUILD_FILE_EXTRA');
    for (const name of ['master-key.json', 'keystore', 'tls/server.pem', 'tls/server.key.sealed'])
      rmSync(join(path, name), { recursive: true });
    await rejectsCode(() => measuredFolder(path), EifBuildError, 'EIF_BUILD_FILE_MISSING');
    mkdirSync(join(path, 'operators'), { mode: 0o700 });
    writeFileSync(join(path, 'operators/anna.pem'), 'public key', { mode: 0o600 });
    const { files } = await measuredFolder(path);
    t.match(
      files.find(({ name }) => name === 'enclave/operators/anna.pem'),
      { mode: 0o644, owner: 0 },
    );
    t.equal(files.length, 5);
  },
);

t.test('rejects what is neither file nor folder (EIF_BUILD_FILE_TYPE)', async (t) => {
  const linked = folder(t);
  symlinkSync('/etc/passwd', join(linked, 'keystore/link'));
  await rejectsCode(() => measuredFolder(linked), EifBuildError, 'EIF_BUILD_FILE_TYPE');

  const replaced = folder(t);
  rmSync(join(replaced, 'enclave.yaml'));
  symlinkSync('encryptor.yaml', join(replaced, 'enclave.yaml'));
  await rejectsCode(() => measuredFolder(replaced), EifBuildError, 'EIF_BUILD_FILE_TYPE');

  const piped = folder(t);
  execFileSync('mkfifo', [join(piped, 'keystore/pipe')]);
  await rejectsCode(() => measuredFolder(piped), EifBuildError, 'EIF_BUILD_FILE_TYPE');

  const socketed = folder(t);
  const server = createServer().listen(join(socketed, 'keystore/socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  await rejectsCode(() => measuredFolder(socketed), EifBuildError, 'EIF_BUILD_FILE_TYPE');
  server.close();
});

t.test('rejects a device, where one can be made (EIF_BUILD_FILE_TYPE)', async (t) => {
  const path = folder(t);
  try {
    execFileSync('mknod', [join(path, 'keystore/null'), 'c', '1', '3'], { stdio: 'ignore' });
  } catch {
    t.comment('no right to make a device here');
    return;
  }
  await rejectsCode(() => measuredFolder(path), EifBuildError, 'EIF_BUILD_FILE_TYPE');
});

t.test('rejects what anybody could have changed (EIF_BUILD_FILE_MODE)', async (t) => {
  const cases: [string, number][] = [
    ['enclave.yaml', 0o602],
    ['keystore/client_hmac', 0o666],
    ['keystore', 0o777],
    ['.', 0o707],
    ['encryptor.yaml', 0o4600],
  ];
  for (const [name, mode] of cases) {
    const path = folder(t);
    chmodSync(join(path, name), mode);
    await rejectsCode(() => measuredFolder(path), EifBuildError, 'EIF_BUILD_FILE_MODE');
  }
});

t.test('rejects files that enclave.yaml does not name (EIF_BUILD_FILE_EXTRA)', async (t) => {
  for (const name of ['tls/server.key', 'enclave.yaml~', 'notes']) {
    const path = folder(t);
    writeFileSync(join(path, name), 'secret', { mode: 0o600 });
    await rejectsCode(() => measuredFolder(path), EifBuildError, 'EIF_BUILD_FILE_EXTRA');
  }
  const path = folder(t);
  mkdirSync(join(path, '.git'));
  await rejectsCode(() => measuredFolder(path), EifBuildError, 'EIF_BUILD_FILE_EXTRA');
});

t.test('rejects a folder that lacks a named file or all keys (EIF_BUILD_FILE_MISSING)', async (t) => {
  for (const name of ['enclave.yaml', 'encryptor.yaml', 'tls/server.key.sealed', 'master-key.json', 'keystore']) {
    const path = folder(t);
    rmSync(join(path, name), { recursive: true });
    await rejectsCode(() => measuredFolder(path), EifBuildError, 'EIF_BUILD_FILE_MISSING');
  }
});

t.test('rejects a folder that is not there (EIF_BUILD_FOLDER_READ)', async (t) => {
  const path = join(temporaryFolder(t), 'nothing');
  await rejectsCode(() => measuredFolder(path), EifBuildError, 'EIF_BUILD_FOLDER_READ');
});

t.test('rejects an enclave.yaml that the supervisor would refuse (CONFIG_INVALID)', async (t) => {
  const path = folder(t);
  writeFileSync(join(path, 'enclave.yaml'), 'version: 1\n');
  await rejectsCode(() => measuredFolder(path), ConfigError, 'CONFIG_INVALID');
});
