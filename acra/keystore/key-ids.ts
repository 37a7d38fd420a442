/**
 * By which ids AcraBlocks name the symmetric keys of a client (acra-server contract 9.1). Two bytes of a hash, which stand in clear in every
 * block: whoever sees the database has them already. Loads Themis: not for a daemon.
 */
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { keyId } from '../container.ts';
import type { KeyFile } from './layout.ts';
import { readKeystore, useKey } from './open-keystore.ts';
import { loadThemis, type Themis } from './themis.ts';
import type { KeyContent } from './write-keystore.ts';

/** Ids in hex, 4 digits. */
export interface ClientKeyIds {
  readonly clientId: string;
  /** Of the key that encrypts; undefined: the client has none. */
  readonly current: string | undefined;
  /** Of keys that were rotated out, and that open what they encrypted; sorted. */
  readonly old: readonly string[];
}

export interface KeyIdOptions {
  readonly folder: string;
  readonly masterKey: SecretBuffer;
  /** Default: all that have a symmetric key. */
  readonly clientIds?: readonly string[];
}

interface KnownKey {
  readonly file: KeyFile;
  readonly id: string;
}

/** Of every key that a block may name: clients' and poison records'. */
export function knownKeys(themis: Themis, masterKey: SecretBuffer, contents: readonly KeyContent[]): KnownKey[] {
  return contents
    .filter(({ file: { purpose } }) => purpose === 'storage-symmetric' || purpose === 'poison-symmetric')
    .map((each) => ({ file: each.file, id: useKey(themis, masterKey, each, keyId).toString('hex') }));
}

export function idsOf(keys: readonly KnownKey[], clientId: string): ClientKeyIds {
  const own = keys.filter(({ file }) => file.clientId === clientId);
  const old = own.filter(({ file }) => file.rotated).map(({ id }) => id);
  return { clientId, current: own.find(({ file }) => !file.rotated)?.id, old: [...new Set(old)].toSorted() };
}

/** @throws KeystoreError when the keystore is not sound or does not open with this key */
export async function clientKeyIds(options: KeyIdOptions): Promise<readonly ClientKeyIds[]> {
  const { folder, masterKey } = options;
  const contents = await readKeystore(folder, masterKey);
  const keys = knownKeys(await loadThemis(), masterKey, contents);
  const all = new Set(keys.flatMap(({ file }) => file.clientId ?? []));
  return [...(options.clientIds ?? [...all].toSorted())].map((clientId) => idsOf(keys, clientId));
}
