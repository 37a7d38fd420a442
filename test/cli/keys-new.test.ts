/** `keys new` as a user runs it, against the emulated KMS: all or nothing. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Faults } from '../../emulator/kms/faults.ts';
import { GOOD, makeCertificate } from '../keys/support/certificate-maker.ts';
import { acraEnclave } from './support/acra-enclave.ts';
import type { KeysFolder } from './support/keys-folder.ts';
import { clientsOf, keysFolder, openSealedKey } from './support/keys-folder.ts';

const fresh = await keysFolder(t);

t.test('makes keys that open with the master key, and a folder that config check accepts', async (t) => {
  const folder = fresh.copy(t);
  const made = await folder.keys('new', '--server-key', folder.serverKey, '--client', folder.client());
  t.equal(made.code, 0, made.stderr);
  t.equal((await clientsOf(folder)).length, 1);
  t.equal(await openSealedKey(folder), folder.server.keyPem);
  const { code, stdout } = await acraEnclave(['config', 'check', join(folder.enclave, 'enclave.yaml'), '--json']);
  t.equal(code, 0);
  t.match(JSON.parse(stdout), { valid: true, missing: [] });
});

t.test('tells with config check what is not there yet', async (t) => {
  const folder = fresh.copy(t);
  rmSync(join(folder.enclave, 'tls/server.pem'));
  const { code, stdout } = await acraEnclave(['config', 'check', join(folder.enclave, 'enclave.yaml'), '--json']);
  t.equal(code, 0);
  t.match(JSON.parse(stdout), { missing: ['tls/server.pem', 'master-key.json', 'keystore', 'tls/server.key.sealed'] });
});

const other = makeCertificate(GOOD.authority, Date.now());

interface Refusal {
  readonly what: string;
  readonly code: string;
  /** @returns options that take the place of the right ones */
  readonly damage: (folder: KeysFolder) => { readonly serverKey?: string; readonly clients?: readonly string[] };
}

const REFUSED: readonly Refusal[] = [
  {
    what: "another certificate's key",
    code: 'KEY_CERTIFICATE_MISMATCH',
    damage: (folder) => ({ serverKey: folder.write('other.key', makeCertificate(GOOD.server, Date.now()).keyPem) }),
  },
  {
    what: 'an encrypted key',
    code: 'KEY_FILE_ENCRYPTED',
    damage: ({ server, write }) => {
      const encrypted = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const;
      return { serverKey: write('encrypted.key', server.key.export(encrypted)) };
    },
  },
  {
    what: 'a key in DER',
    code: 'KEY_FILE_INVALID',
    damage: ({ server, write }) => ({
      serverKey: write('der.key', server.key.export({ type: 'pkcs8', format: 'der' })),
    }),
  },
  {
    what: 'a certificate in the place of the key',
    code: 'KEY_FILE_INVALID',
    damage: ({ server, write }) => ({ serverKey: write('certificate.key', server.pem) }),
  },
  { what: 'an empty key', code: 'KEY_FILE_INVALID', damage: ({ write }) => ({ serverKey: write('empty.key', '') }) },
  { what: 'no key at all', code: 'KEY_FILE_READ', damage: () => ({ serverKey: '/nowhere.key' }) },
  {
    what: 'an expired server certificate',
    code: 'CERTIFICATE_EXPIRED',
    damage: (folder) => {
      const old = makeCertificate(
        { ...GOOD.server, toDays: -0.5, key: folder.server.key },
        Date.now(),
        folder.authority,
      );
      folder.write('enclave/tls/server.pem', old.pem);
      return {};
    },
  },
  {
    what: 'a client CA that is none',
    code: 'CERTIFICATE_NOT_CA',
    damage: (folder) => {
      folder.write('enclave/tls/client-ca.pem', folder.server.pem);
      return {};
    },
  },
  {
    what: 'a client of version 1',
    code: 'CERTIFICATE_NOT_CLIENT',
    damage: (f) => ({ clients: [f.client({ version: 1 })] }),
  },
  {
    what: 'a client that is a CA',
    code: 'CERTIFICATE_NOT_CLIENT',
    damage: (f) => ({ clients: [f.client({ ca: true })] }),
  },
  {
    what: 'a client of another CA, behind one that is right',
    code: 'CERTIFICATE_OTHER_ISSUER',
    damage: (folder) => ({ clients: [folder.client(), folder.client({}, other)] }),
  },
  {
    what: 'what exists already',
    code: 'KEY_OUTPUT_EXISTS',
    damage: (folder) => {
      folder.write('enclave/tls/server.key.sealed', 'precious');
      return {};
    },
  },
  {
    what: 'columns of a client that gets no keys',
    code: 'KEYSTORE_KEY_MISSING',
    damage: (folder) => {
      const yaml = readFileSync(join(folder.enclave, 'encryptor.yaml'), 'utf8');
      folder.write(
        'enclave/encryptor.yaml',
        yaml.replace('column: email\n', 'column: email\n        client_id: another\n'),
      );
      return {};
    },
  },
  {
    what: 'no certificate in the place that enclave.yaml names',
    code: 'CERTIFICATE_FILE_READ',
    damage: (folder) => {
      rmSync(join(folder.enclave, 'tls/server.pem'));
      return {};
    },
  },
  {
    what: 'a folder in the place of a client certificate',
    code: 'CERTIFICATE_FILE_READ',
    damage: (folder) => ({ clients: [folder.enclave] }),
  },
  {
    what: 'a sealed key without a folder to lie in',
    code: 'KEY_OUTPUT_WRITE',
    damage: (folder) => {
      const yaml = readFileSync(join(folder.enclave, 'enclave.yaml'), 'utf8');
      folder.write('enclave/enclave.yaml', `${yaml}acra: {sealedKey: nowhere/server.key.sealed}\n`);
      return {};
    },
  },
  {
    what: 'a KMS key that may not encrypt',
    code: 'CLI_KMS_REFUSED',
    damage: (folder) => {
      const yaml = readFileSync(join(folder.enclave, 'enclave.yaml'), 'utf8');
      folder.write('enclave/enclave.yaml', yaml.replace(/key\/[-0-9a-f]+/, 'key/00000000-0000-4000-8000-000000000000'));
      return {};
    },
  },
];
for (const { what, code, damage } of REFUSED) {
  t.test(`keys new rejects ${what} and leaves everything as it was (${code})`, async (t) => {
    const folder = fresh.copy(t);
    const { serverKey: key = folder.serverKey, clients = [folder.client()] } = damage(folder);
    const before = folder.content();
    const outcome = await folder.keys('new', '--server-key', key, '--client', ...clients);
    t.not(outcome.code, 0);
    t.match(outcome.stderr, `error ${code}:`);
    t.match(outcome.stderr, 'what to do:');
    t.same(folder.content(), before);
  });
}

t.test('tells all that is wrong at once', async (t) => {
  const folder = fresh.copy(t);
  const clients = [folder.client({ ca: true }), folder.client({ version: 1 })];
  const outcome = await folder.keys('new', '--server-key', folder.write('x.key', ''), '--client', ...clients);
  t.equal(outcome.code, 78);
  for (const told of ['3 things are wrong', 'KEY_FILE_INVALID', 'is a CA', 'version 1']) t.match(outcome.stderr, told);
});

/** Lets the next request of the operation hang, and resolves when it has come. */
function whenTaken(faults: Faults, operation: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const take = faults.take.bind(faults);
  faults.next(operation, { kind: 'hang' });
  faults.take = (name) => {
    const fault = take(name);
    if (fault !== undefined) resolve();
    return fault;
  };
  return promise;
}

t.test('leaves nothing behind when it is interrupted while KMS is silent', async (t) => {
  const folder = fresh.copy(t);
  const before = folder.content();
  const asked = whenTaken(folder.kms.kms.faults, 'Encrypt');
  const { child, outcome } = folder.startKeys('new', '--server-key', folder.serverKey, '--client', folder.client());
  await asked;
  child.kill('SIGINT');
  t.not((await outcome).code, 0);
  t.same(folder.content(), before);
});

t.test('keys new tells of everything that is wrong, a client without an id among it, and exits 78', async (t) => {
  const folder = fresh.copy(t);
  const nameless = folder.client({ subject: '' });
  const future = folder.client({ fromDays: 1 });
  const key = folder.write('empty.key', '');
  const { code, stderr } = await folder.keys('new', '--server-key', key, '--client', nameless, future);
  t.equal(code, 78);
  t.match(stderr, `KEY_FILE_INVALID ${key}`);
  t.match(stderr, `ACRA_CERTIFICATE_INVALID ${nameless}`);
  t.match(stderr, `CERTIFICATE_NOT_YET_VALID ${future}`);
  const alone = await folder.keys('new', '--server-key', folder.serverKey, '--client', nameless);
  t.equal(alone.code, 78);
  t.match(alone.stderr, 'error ACRA_CERTIFICATE_INVALID:');
  t.match(alone.stderr, nameless);
});

t.test('keys new makes the keys of a client once, however often it is named', async (t) => {
  const folder = fresh.copy(t);
  const [first, renewed] = [folder.client({ subject: 'twice' }), folder.client({ subject: 'twice' })];
  const made = await folder.keys('new', '--server-key', folder.serverKey, '--client', first, first, renewed);
  t.equal(made.code, 0, made.stderr);
  t.equal(made.stdout.split('\n').filter((line) => line.includes('made')).length, 1, made.stdout);
  t.match(made.stdout, `(${first}, ${renewed})`);
  t.equal((await clientsOf(folder)).length, 1);
});
