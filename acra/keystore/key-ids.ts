/**
 * By which ids AcraBlocks name the symmetric keys of a client (acra-server contract 9.1). Two bytes of a hash, which stand in clear in every
 * block: whoever sees the database has them already.
 */
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { keyId } from '../container.ts';
import { type ClientKeyIds, idsOf, idsOfAll, type KnownKey } from './client-key-ids.ts';
import { readKeystore, useKey } from './open-keystore.ts';
import { type Themis, themis } from './themis.ts';
import type { KeyContent } from './write-keystore.ts';

export interface KeyIdOptions {
  readonly folder: string;
  readonly masterKey: SecretBuffer;
  /** Default: all that have a symmetric key. */
  readonly clientIds?: readonly string[];
}

/** Of every key that a block may name: clients' and poison records'. */
export function knownKeys(themis: Themis, masterKey: SecretBuffer, contents: readonly KeyContent[]): KnownKey[] {
  return contents
    .filter(({ file: { purpose } }) => purpose === 'storage-symmetric' || purpose === 'poison-symmetric')
    .map((each) => ({ file: each.file, id: useKey(themis, masterKey, each, keyId).toString('hex') }));
}

/** @throws KeystoreError when the keystore is not sound or does not open with this key */
export async function clientKeyIds(options: KeyIdOptions): Promise<readonly ClientKeyIds[]> {
  const { folder, masterKey } = options;
  const contents = await readKeystore(folder, masterKey);
  const keys = knownKeys(themis, masterKey, contents);
  return options.clientIds?.map((clientId) => idsOf(keys, clientId)) ?? idsOfAll(keys);
}
