import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { EncryptorError, KeystoreError } from '../../../acra/errors.ts';
import type { InspectKeystoreOptions } from '../../../acra/keystore/inspect.ts';
import { inspectKeystore } from '../../../acra/keystore/inspect.ts';
import { sealFile, TLS_KEY_CONTEXT } from '../../../acra/keystore/seal-file.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { atRest, masterKey, masterKeyBytes, masterKeyWithFlippedBit, writeKeystore } from '../support/at-rest.ts';

const PRIVATE_KEY = Buffer.from('-----BEGIN PRIVATE KEY-----\n\0\xff\n');

async function sound(t: Parameters<typeof temporaryFolder>[0]): Promise<InspectKeystoreOptions & { folder: string }> {
  const folder = temporaryFolder(t);
  const encryptorConfigFile = join(folder, 'encryptor.yaml');
  writeFileSync(encryptorConfigFile, atRest.encryptorConfig);
  const file = join(folder, 'server.key.sealed');
  const plaintext = SecretBuffer.take(Buffer.from(PRIVATE_KEY));
  writeFileSync(file, sealFile({ plaintext, masterKey: masterKey(), context: TLS_KEY_CONTEXT }));
  return {
    folder,
    keystoreFolder: writeKeystore(folder),
    masterKey: masterKey(),
    clientIds: [atRest.clientId],
    encryptorConfigFile,
    poisonDetection: true,
    sealedFiles: [{ file, context: TLS_KEY_CONTEXT }],
    signal: new AbortController().signal,
  };
}

t.test('inspects a keystore and hands back what was sealed', async (t) => {
  const options = await sound(t);
  const twice = [...options.sealedFiles, ...options.sealedFiles];
  const { report, opened, warnings } = await inspectKeystore({ ...options, sealedFiles: twice });
  t.same(report.findings, []);
  t.equal(report.openedKeys, 6);
  t.same(warnings, []);
  t.same(
    opened.map((secret) => secret.use((bytes) => Buffer.from(bytes))),
    [PRIVATE_KEY, PRIVATE_KEY],
  );
  options.masterKey.use((bytes) => t.same(bytes, masterKeyBytes(), 'the key is still the caller’s'));
});

t.test('tells a wrong master key from everything else (KEYSTORE_FOREIGN)', async (t) => {
  const options = await sound(t);
  const wrong = { ...options, masterKey: masterKeyWithFlippedBit(17) };
  await rejectsCode(() => inspectKeystore(wrong), KeystoreError, 'KEYSTORE_FOREIGN');
});

t.test('rejects a keystore that is not there (KEYSTORE_MISSING)', async (t) => {
  const options = { ...(await sound(t)), keystoreFolder: '/nonexistent' };
  await rejectsCode(() => inspectKeystore(options), KeystoreError, 'KEYSTORE_MISSING');
});

t.test('rejects a misspelt key in the encryptor configuration (ENCRYPTOR_INVALID)', async (t) => {
  const options = await sound(t);
  writeFileSync(options.encryptorConfigFile, atRest.encryptorConfig.replace('searchable', 'serchable'));
  const error = await rejectsCode(() => inspectKeystore(options), EncryptorError, 'ENCRYPTOR_INVALID');
  t.match(error.message, 'did you mean "searchable"?');
});

t.test('rejects a sealed file that was changed, renamed or is missing (KEYSTORE_SEALED_FILE)', async (t) => {
  const options = await sound(t);
  const { file } = options.sealedFiles[0]!;
  const inspect = (sealedFiles: InspectKeystoreOptions['sealedFiles']) => inspectKeystore({ ...options, sealedFiles });
  await rejectsCode(() => inspect([{ file, context: 'other' }]), KeystoreError, 'KEYSTORE_SEALED_FILE');
  await rejectsCode(() => inspect([{ file: `${file}x`, context: '' }]), KeystoreError, 'KEYSTORE_SEALED_FILE');
  const content = readFileSync(file);
  content[content.length - 1]! ^= 1;
  writeFileSync(file, content);
  await rejectsCode(() => inspect(options.sealedFiles), KeystoreError, 'KEYSTORE_SEALED_FILE');
});

for (const length of [31, 33]) {
  t.test(`rejects a master key of ${length} bytes (KEYSTORE_MASTER_KEY_LENGTH)`, async (t) => {
    const options = { ...(await sound(t)), masterKey: SecretBuffer.take(Buffer.alloc(length)) };
    await rejectsCode(() => inspectKeystore(options), KeystoreError, 'KEYSTORE_MASTER_KEY_LENGTH');
  });
}

t.test('stops with the signal’s reason when it aborts', async (t) => {
  const options = await sound(t);
  const controller = new AbortController();
  const reason = new Error('stop');
  const running = inspectKeystore({ ...options, signal: controller.signal });
  controller.abort(reason);
  await t.rejects(running, reason);
  await t.rejects(inspectKeystore({ ...options, signal: controller.signal }), reason, 'aborted before');
});
