import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import { KeystoreError } from '../../../acra/errors.ts';
import type { CheckKeystoreOptions } from '../../../acra/keystore/check.ts';
import { checkKeystore } from '../../../acra/keystore/check.ts';
import type { KeystoreErrorCode } from '../../../acra/keystore/report.ts';
import { requireSoundKeystore } from '../../../acra/keystore/report.ts';
import { themis } from '../../../acra/keystore/themis.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { rejectsCode, throwsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { atRest, masterKey, masterKeyBytes, masterKeyWithFlippedBit, writeKeystore } from '../support/at-rest.ts';

const ID = atRest.clientId;
const encryptorConfig = parseEncryptorConfig(atRest.encryptorConfig, 'encryptor.yaml');

function check(folder: string, changed: Partial<CheckKeystoreOptions> = {}) {
  return checkKeystore({ folder, masterKey: masterKey(), encryptorConfig, ...changed });
}

async function codesOf(folder: string, changed: Partial<CheckKeystoreOptions> = {}) {
  const { findings } = await check(folder, changed);
  return findings.map(({ code, path }) => (path === undefined ? code : `${code} ${path}`));
}

t.test('opens every file of the keystore that acra-server used', async (t) => {
  const report = await check(writeKeystore(temporaryFolder(t)), { clientIds: [ID], poisonDetection: true });
  t.same(report.findings, []);
  t.equal(report.openedKeys, 6);
  t.same(report.clientIds, [ID]);
  t.same(report.poisonKeys, ['poison-symmetric', 'poison-private']);
  requireSoundKeystore(report);
});

t.test('opens none of them with any one bit of the master key flipped (KEYSTORE_FOREIGN)', async (t) => {
  const folder = writeKeystore(temporaryFolder(t));
  for (const bit of [0, 1, 100, 255]) {
    const report = await check(folder, { masterKey: masterKeyWithFlippedBit(bit) });
    t.equal(report.openedKeys, 0);
    t.equal(report.findings[0]?.code, 'KEYSTORE_FOREIGN');
  }
});

for (const length of [31, 33]) {
  t.test(`rejects a master key of ${length} bytes (KEYSTORE_MASTER_KEY_LENGTH)`, async (t) => {
    const folder = writeKeystore(temporaryFolder(t));
    const wrong = SecretBuffer.take(Buffer.alloc(length));
    await rejectsCode(() => check(folder, { masterKey: wrong }), KeystoreError, 'KEYSTORE_MASTER_KEY_LENGTH');
  });
}

interface Damage {
  readonly what: string;
  readonly code: KeystoreErrorCode;
  readonly path?: string;
  readonly apply: (folder: string) => void;
}

const seal = (secret: Buffer, context: string) => themis.seal(masterKeyBytes(), secret, context);

const damages: readonly Damage[] = [
  {
    what: 'a folder that is not there',
    code: 'KEYSTORE_MISSING',
    apply: (folder) => rmSync(folder, { recursive: true }),
  },
  {
    what: 'a file in the place of the folder',
    code: 'KEYSTORE_MISSING',
    apply(folder) {
      rmSync(folder, { recursive: true });
      writeFileSync(folder, '');
    },
  },
  {
    what: 'an empty folder',
    code: 'KEYSTORE_EMPTY',
    apply(folder) {
      rmSync(folder, { recursive: true });
      mkdirSync(folder, { mode: 0o700 });
    },
  },
  {
    what: 'a file of another name',
    code: 'KEYSTORE_FILE_UNKNOWN',
    path: 'encrypted_master_key',
    apply: (folder) => writeFileSync(join(folder, 'encrypted_master_key'), 'x'),
  },
  {
    what: 'a symbolic link in the place of a key',
    code: 'KEYSTORE_FILE_UNKNOWN',
    path: 'other client_hmac',
    apply: (folder) => symlinkSync(join(folder, `${ID}_hmac`), join(folder, 'other client_hmac')),
  },
  { what: 'a folder that others may read', code: 'KEYSTORE_PERMISSION', apply: (folder) => chmodSync(folder, 0o755) },
  {
    what: 'a folder that its owner may not write',
    code: 'KEYSTORE_PERMISSION',
    apply: (folder) => chmodSync(folder, 0o500),
  },
  {
    what: 'a private key that others may read',
    code: 'KEYSTORE_PERMISSION',
    path: `${ID}_storage_sym`,
    apply: (folder) => chmodSync(join(folder, `${ID}_storage_sym`), 0o640),
  },
  {
    what: 'a public key that others may write',
    code: 'KEYSTORE_PERMISSION',
    path: `${ID}_storage.pub`,
    apply: (folder) => chmodSync(join(folder, `${ID}_storage.pub`), 0o664),
  },
  {
    what: 'a key with one bit changed',
    code: 'KEYSTORE_FILE_DAMAGED',
    path: `${ID}_hmac`,
    apply(folder) {
      const file = join(folder, `${ID}_hmac`);
      const content = readFileSync(file);
      content[content.length - 1]! ^= 1;
      writeFileSync(file, content);
    },
  },
  {
    what: 'the key of another client under this name',
    code: 'KEYSTORE_FILE_DAMAGED',
    path: 'other client_hmac',
    apply: (folder) => writeFileSync(join(folder, 'other client_hmac'), seal(Buffer.alloc(32, 1), ID), { mode: 0o600 }),
  },
  {
    what: 'a key of 31 bytes',
    code: 'KEYSTORE_KEY_INVALID',
    path: `${ID}_hmac`,
    apply: (folder) => writeFileSync(join(folder, `${ID}_hmac`), seal(Buffer.alloc(31, 1), ID)),
  },
  {
    what: 'a public key of somebody else',
    code: 'KEYSTORE_PAIR_MISMATCH',
    path: `${ID}_storage.pub`,
    apply: (folder) => writeFileSync(join(folder, `${ID}_storage.pub`), themis.newKeyPair().publicKey),
  },
  {
    what: 'a private key without its public half',
    code: 'KEYSTORE_KEY_MISSING',
    path: `${ID}_storage.pub`,
    apply: (folder) => rmSync(join(folder, `${ID}_storage.pub`)),
  },
  {
    what: 'a key that the encryptor configuration needs',
    code: 'KEYSTORE_KEY_MISSING',
    apply: (folder) => rmSync(join(folder, `${ID}_hmac`)),
  },
  {
    what: 'poison keys although poison records are to be detected',
    code: 'KEYSTORE_KEY_MISSING',
    apply: (folder) => rmSync(join(folder, '.poison_key'), { recursive: true }),
  },
];
for (const { what, code, path, apply } of damages) {
  t.test(`reports ${what} (${code})`, async (t) => {
    const folder = writeKeystore(temporaryFolder(t));
    apply(folder);
    const report = await check(folder, { poisonDetection: true });
    if (existsSync(folder)) chmodSync(folder, 0o700); // so that it can be removed
    t.same(
      report.findings.filter((finding) => finding.code === code).map((finding) => finding.path),
      [path],
    );
    throwsCode(() => requireSoundKeystore(report), KeystoreError, code);
  });
}

t.test('opens rotated keys as well, and misses a current one that has only been rotated out', async (t) => {
  const folder = writeKeystore(temporaryFolder(t));
  const history = join(folder, `${ID}_hmac.old`);
  mkdirSync(history);
  renameSync(join(folder, `${ID}_hmac`), join(history, '2026-01-02T15:04:05.5'));
  t.same(await codesOf(folder), ['KEYSTORE_KEY_MISSING']);
  t.same(
    await codesOf(folder, {
      encryptorConfig: parseEncryptorConfig(atRest.encryptorConfig.replace('        searchable: true\n', ''), 'e'),
    }),
    [],
  );
});

t.test('demands the keys of the clients that will connect, and of those that columns name', async (t) => {
  const folder = writeKeystore(temporaryFolder(t));
  t.same(await codesOf(folder, { clientIds: [ID, 'other client'] }), ['KEYSTORE_KEY_MISSING']);
  const owned = parseEncryptorConfig(`${atRest.encryptorConfig}        client_id: tenant-7\n`, 'encryptor.yaml');
  const { findings } = await check(folder, { encryptorConfig: owned });
  t.match(findings, [{ code: 'KEYSTORE_KEY_MISSING', message: /client tenant-7 lacks: storage-symmetric/ }]);
});
