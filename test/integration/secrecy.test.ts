/** Where the plaintext master key is, and where it is not; what listens; what is left after a stop. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { environmentVariable, processesNaming, searchMemory } from '../support/processes.ts';
import { acraPid, servingStack } from '../support/stack.ts';

function* filesBelow(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile() && statSync(file).size < 64 * 1024 * 1024) yield file;
  }
}

t.test('keeps the master key nowhere but in acra-server’s environment', async (t) => {
  const { stack } = await servingStack(t);
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

  await t.test('and the TLS key’s file is gone once acra-server listens', async (t) => {
    t.notOk(existsSync(join(stack.enclave.runtimeFolder, 'server.key')));
  });
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
