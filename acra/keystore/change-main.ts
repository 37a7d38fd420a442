/**
 * Main file of the process that makes or changes a keystore and seals secrets, and ends: what it has made of keys on the way
 * goes with it (process-protocol.ts, change-protocol.ts). Started by change-process.ts only.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { systemRandom } from '../../runtime/random.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { KeystoreError } from '../errors.ts';
import { type ChangeAnswer, type ChangeRequest, changeRequestSchema } from './change-protocol.ts';
import { createKeystore } from './create.ts';
import { forgetKeys } from './forget.ts';
import { answerOnce, readSecrets } from './keystore-child.ts';
import { MASTER_KEY_BYTES, PRIVATE_FILE_MODE } from './layout.ts';
import { useMasterKey } from './master-key.ts';
import { rewrapKeys } from './rewrap.ts';
import { rotateKeys } from './rotate.ts';
import { sealFile } from './seal-file.ts';
import { themis } from './themis.ts';

interface Keys {
  readonly masterKey: SecretBuffer;
  readonly newMasterKey: SecretBuffer | undefined;
}

/** In the order of the request. @throws KeystoreError KEYSTORE_CHECK_FAILED: more or fewer bytes came than it names */
function takeSecrets({ keystore, seal }: ChangeRequest): Keys & { readonly plaintexts: readonly SecretBuffer[] } {
  const masterKeys = keystore.kind === 'rewrap' ? 2 : 1;
  const lengths = [...Array.from({ length: masterKeys }, () => MASTER_KEY_BYTES), ...seal.map(({ bytes }) => bytes)];
  const total = lengths.reduce((sum, length) => sum + length, 0);
  using all = readSecrets(total + 1);
  if (all.length !== total) {
    throw new KeystoreError('KEYSTORE_CHECK_FAILED', 'other secrets came than were announced');
  }
  let at = 0;
  const secrets = lengths.map((length) => {
    const start = at;
    at += length;
    return all.use((bytes) => SecretBuffer.take(bytes.subarray(start, at)));
  });
  const [masterKey, newMasterKey] = secrets;
  if (masterKey === undefined) throw new KeystoreError('KEYSTORE_CHECK_FAILED', 'no master key came');
  return {
    masterKey,
    newMasterKey: masterKeys === 2 ? newMasterKey : undefined,
    plaintexts: secrets.slice(masterKeys),
  };
}

async function changeKeystore({ keystore }: ChangeRequest, { masterKey, newMasterKey }: Keys): Promise<void> {
  switch (keystore.kind) {
    case 'none':
      return;
    case 'create': {
      const { newFolder: folder, clientIds, poison } = keystore;
      await createKeystore({ folder, masterKey, clientIds, poison, random: systemRandom });
      return;
    }
    case 'rewrap': {
      const { folder, newFolder } = keystore;
      await rewrapKeys({ folder, newFolder, masterKey, newMasterKey: newMasterKey ?? masterKey });
      return;
    }
    case 'rotate': {
      const { folder, newFolder, clientIds, nowMs } = keystore;
      await rotateKeys({ folder, newFolder, masterKey, clientIds, nowMs, random: systemRandom });
      return;
    }
    case 'forget': {
      const { folder, newFolder, clientIds, keepsPairs } = keystore;
      await forgetKeys({ folder, newFolder, masterKey, clientIds, keepsPairs });
      return;
    }
  }
}

async function writeSealed(file: string, sealed: Buffer): Promise<void> {
  await writeFile(file, sealed, { mode: PRIVATE_FILE_MODE, flag: 'wx' });
}

/** @throws KeystoreError KEYSTORE_SEALED_FILE */
async function rewrapFiles({ rewrap }: ChangeRequest, { masterKey, newMasterKey = masterKey }: Keys): Promise<void> {
  for (const { file, newFile, context } of rewrap) {
    const sealed = await readFile(file);
    const opened = useMasterKey(masterKey, (key) => themis.open(key, sealed, context));
    if (opened === undefined) {
      throw new KeystoreError('KEYSTORE_SEALED_FILE', `${file} does not open with this master key as ${context}`);
    }
    using plaintext = SecretBuffer.take(opened);
    await writeSealed(newFile, sealFile({ plaintext, masterKey: newMasterKey, context }));
  }
}

async function change(request: ChangeRequest): Promise<ChangeAnswer> {
  const { plaintexts, ...keys } = takeSecrets(request);
  await changeKeystore(request, keys);
  await rewrapFiles(request, keys);
  const masterKey = keys.newMasterKey ?? keys.masterKey;
  for (const [index, { file, context }] of request.seal.entries()) {
    const plaintext = plaintexts[index];
    if (plaintext !== undefined) await writeSealed(file, sealFile({ plaintext, masterKey, context }));
  }
  return { outcome: 'changed' };
}

await answerOnce((request) => change(changeRequestSchema.parse(request)));
