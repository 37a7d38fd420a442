/** The stand-in's cipher over the keystore that acra-server 0.96.0 used, and the tables of its encryptor configuration. */
import { parseEncryptorConfig } from '../../../../acra/encryptor-config/lint.ts';
import { themis } from '../../../../acra/keystore/themis.ts';
import { Cipher, type CipherOptions } from '../../../../emulator/acra-server/cipher.ts';
import { Keyring } from '../../../../emulator/acra-server/keyring.ts';
import { atRest, masterKey, writeKeystore } from '../../../acra/support/at-rest.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

export const { tables } = parseEncryptorConfig(atRest.encryptorConfig, 'encryptor.yaml');

export function column(name: string) {
  const found = tables.get('v')?.encrypted.get(name);
  if (!found) throw new Error(`no protected column ${name}`);
  return found;
}

type Teardown = Parameters<typeof temporaryFolder>[0];

export async function vectorKeyring(t: Teardown): Promise<Keyring> {
  return Keyring.load(themis, writeKeystore(temporaryFolder(t)), masterKey());
}

interface Overrides extends Partial<CipherOptions> {
  readonly clientId?: string;
}

export async function vectorCipher(t: Teardown, overrides: Overrides = {}): Promise<Cipher> {
  const { clientId = atRest.clientId, ...options } = overrides;
  const keyring = options.keyring ?? (await vectorKeyring(t));
  const random = seededRandom('stand-in');
  return new Cipher({ themis, keyring, random, onPoisonRecord: undefined, ...options }, clientId);
}
