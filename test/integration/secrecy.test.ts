/** Where the plaintext master key is, and where it is not; what listens; what is left after a stop. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { clientIdFromCertificate } from '../../acra/client-id.ts';
import { themis } from '../../acra/keystore/themis.ts';
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import { Keyring } from '../../emulator/acra-server/keyring.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { filesBelow } from '../support/files-below.ts';
import { environmentVariable, processesNaming, searchMemory } from '../support/processes.ts';
import { acraPid, childPid, IN_LINE, servingStack } from '../support/stack.ts';

t.test('keeps the master key nowhere but in acra-server’s environment', async (t) => {
  const { stack, address } = await servingStack(t);
  const base64 = environmentVariable(acraPid(stack.enclave), 'ACRA_MASTER_KEY') ?? '';
  const key = Buffer.from(base64, 'base64');
  t.equal(key.length, 32, 'acra-server has it');
  const texts = [
    base64,
    base64.replace(/=+$/, ''),
    key.toString('base64url'),
    key.toString('hex'),
    key.toString('hex').toUpperCase(),
  ];
  const needles = texts.flatMap((text) => [Buffer.from(text, 'latin1'), Buffer.from(text, 'utf16le')]);

  await t.test('not as text in the memory of supervisor and host-proxy', async (t) => {
    for (const daemon of [stack.enclave.supervisor, stack.enclave.hostProxy]) {
      t.ok(searchMemory(daemon?.pid ?? 0, [Buffer.from('node')])[0], `${daemon?.name}: memory was read`);
      t.same(
        searchMemory(daemon?.pid ?? 0, needles),
        needles.map(() => 0),
        String(daemon?.name),
      );
    }
  });

  await t.test('not in logs, configuration, keystore or any other file, nor as raw bytes', async (t) => {
    for (const file of filesBelow(stack.options.root)) {
      const content = readFileSync(file);
      t.notOk(
        [key, ...needles].some((needle) => content.includes(needle)),
        file,
      );
    }
  });

  await t.test('not in any command line', async (t) => {
    t.same(texts.flatMap(processesNaming), []);
  });

  await t.test('neither it nor any data key in the memory of front and guard, after sessions', async (t) => {
    const client = await connectThroughEnclave(stack, address);
    const insert = 'INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $4)';
    await client.query(insert, [1, 'A', 'a@example.org', 'gout']);
    t.same((await client.query("SELECT diagnosis FROM patients WHERE email = 'a@example.org'")).rows.length, 1);
    const folder = join(stack.enclaveFolder, 'keystore');
    const keyring = await Keyring.load(themis, folder, SecretBuffer.take(Buffer.from(key)));
    const clientId = clientIdFromCertificate(stack.parts.certificates.client.certificatePem, 'distinguished_name');
    const keys = [
      key,
      ...keyring.keys('storage-symmetric', clientId),
      ...keyring.keys('search-hmac', clientId),
      ...keyring.keys('poison-symmetric', ''),
    ];
    t.equal(keys.length, 4);
    const acra = searchMemory(acraPid(stack.enclave), keys);
    t.ok(acra[1], 'acra-server has them, so that the search finds what is there');
    for (const kind of ['front', 'guard'] as const) {
      const pid = childPid(stack.enclave, kind);
      t.ok(searchMemory(pid, [Buffer.from('node')])[0], `${kind}: memory was read`);
      t.same(
        searchMemory(pid, [...keys, ...needles]),
        [...keys, ...needles].map(() => 0),
        kind,
      );
    }
    await client.end();
  });
});

t.test('takes the TLS key’s file away once an acra-server in line listens', async (t) => {
  const { stack } = await servingStack(t, IN_LINE);
  t.notOk(existsSync(join(stack.enclave.runtimeFolder, 'acra-server', 'server.key')));
});

t.test('gives acra-server no environment but its own', async (t) => {
  const { stack } = await servingStack(t, {
    environment: { AWS_PROFILE: 'operator', GRACEFUL_RESTART: 'true', VAULT_TOKEN: 'x' },
  });
  const environment = readFileSync(`/proc/${acraPid(stack.enclave)}/environ`, 'latin1')
    .split('\0')
    .map((line) => line.split('=')[0]);
  for (const name of ['AWS_PROFILE', 'GRACEFUL_RESTART', 'VAULT_TOKEN', 'PATH', 'HOME'])
    t.notOk(environment.includes(name), name);
});

t.test('leaves nothing behind after SIGTERM: no process, no socket, no file', async (t) => {
  const { stack } = await servingStack(t);
  const { enclave, options } = stack;
  t.same(await enclave.supervisor?.stop(), { code: 0, signal: null });
  t.same(await enclave.hostProxy?.stop(), { code: 0, signal: null });
  t.same(
    processesNaming(options.root).filter((line) => !line.includes('postgres')),
    [],
  );
  const left = readdirSync(enclave.runtimeFolder).concat(readdirSync(join(options.root, 'host')));
  t.same(left, [], 'no sockets or keys in the runtime folders');
  t.notOk(
    readdirSync(join(options.root, 'sim')).some((name) => name.startsWith('vm.vsock')),
    'no vsock sockets',
  );
});
