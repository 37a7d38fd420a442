/** Makes a keystore v1 (acra-server contract 9.2). */
import type { Random } from '../../runtime/random.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { AcraError } from '../errors.ts';
import { KeyMaker } from './key-maker.ts';
import { CLIENT_ID_FORM, clientKeyFile, isClientId, POISON_FILES } from './layout.ts';
import { useMasterKey } from './master-key.ts';
import { themis } from './themis.ts';
import { type KeyContent, refuseExistingKeystore, writeKeystore } from './write-keystore.ts';

interface CreateKeystoreOptions {
  /** Must not exist; its parent must. */
  readonly folder: string;
  readonly masterKey: SecretBuffer;
  /** At least one, each of CLIENT_ID_FORM. */
  readonly clientIds: readonly string[];
  readonly random: Random;
  /** Also make the keys of poison records; default true. */
  readonly poison?: boolean;
}

function clientFiles(make: KeyMaker, clientId: string): KeyContent[] {
  return [
    make.symmetric(clientKeyFile(clientId, 'storage-symmetric')),
    make.symmetric(clientKeyFile(clientId, 'search-hmac')),
    ...make.pair(clientKeyFile(clientId, 'storage-private'), clientKeyFile(clientId, 'storage-public')),
  ];
}

function poisonFiles(make: KeyMaker): KeyContent[] {
  return [make.symmetric(POISON_FILES.symmetric), ...make.pair(POISON_FILES.private, POISON_FILES.public)];
}

function checkClientIds(clientIds: readonly string[]): void {
  const bad = clientIds.find((id) => !isClientId(id));
  if (clientIds.length > 0 && bad === undefined) return;
  throw new AcraError('ACRA_CLIENT_ID_INVALID', 'a keystore needs client ids of the form that acra-server accepts', {
    found: bad ?? 'no client id',
    allowed: CLIENT_ID_FORM,
  });
}

/**
 * Makes the keys of all clients, sealed under the master key. Nothing is left behind when it fails.
 * @throws KeystoreError KEYSTORE_MASTER_KEY_LENGTH, KEYSTORE_EXISTS, KEYSTORE_WRITE
 * @throws AcraError ACRA_CLIENT_ID_INVALID
 */
export async function createKeystore(options: CreateKeystoreOptions): Promise<void> {
  const { folder, masterKey, random, poison = true } = options;
  const clientIds = [...new Set(options.clientIds)];
  checkClientIds(clientIds);
  await refuseExistingKeystore(folder);
  const files = useMasterKey(masterKey, (key) => {
    const make = new KeyMaker(themis, key, random);
    return [...clientIds.flatMap((id) => clientFiles(make, id)), ...(poison ? poisonFiles(make) : [])];
  });
  await writeKeystore(folder, files);
}
