/**
 * Gives clients new keys: the symmetric storage key and the storage key pair go where acra-server looks for rotated ones
 * (`<file>.old/<time>`), and new ones take their place (acra-server contract 2.1, 2.8). The search key stays: what is stored is found, and
 * read, by it. A new keystore is made beside; the one that there is is not touched.
 */
import type { Random } from '../../runtime/random.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { keyId } from '../container.ts';
import { KeystoreError } from '../errors.ts';
import { type ClientKeyIds, idsOf } from './client-key-ids.ts';
import { knownKeys } from './key-ids.ts';
import { KeyMaker } from './key-maker.ts';
import type { KeyFile } from './layout.ts';
import { clientKeyFile, rotatedKeyFile, SYMMETRIC_KEY_BYTES } from './layout.ts';
import { useMasterKey } from './master-key.ts';
import { readKeystore } from './open-keystore.ts';
import { themis } from './themis.ts';
import { type KeyContent, refuseExistingKeystore, writeKeystore } from './write-keystore.ts';

export interface RotateKeysOptions {
  /** The keystore that there is. */
  readonly folder: string;
  /** Of the new keystore, which holds all of the other, too; must not exist, its parent must. */
  readonly newFolder: string;
  readonly masterKey: SecretBuffer;
  /** At least one, each with keys. Others' keys stay as they are. */
  readonly clientIds: readonly string[];
  /** Wall clock: what the old files are called by. */
  readonly nowMs: number;
  readonly random: Random;
}

const ROTATED_PURPOSES = ['storage-symmetric', 'storage-private', 'storage-public'] as const;
/** With n keys there, one draw in 65536 / n is in vain. */
const MAX_DRAWS = 1_000;

/** The key is the caller's to zero. @throws KeystoreError KEYSTORE_KEY_IDS */
function drawKey(random: Random, taken: ReadonlySet<string>): Buffer {
  for (let draw = 0; draw < MAX_DRAWS; draw += 1) {
    const key = random.bytes(SYMMETRIC_KEY_BYTES);
    if (!taken.has(keyId(key).toString('hex'))) return key;
    key.fill(0);
  }
  throw new KeystoreError('KEYSTORE_KEY_IDS', `${MAX_DRAWS} keys were drawn, each with the id of another one`);
}

/** No file is written over: a clock may show the same time twice. */
function oldFile(current: KeyFile, nowMs: number, contents: readonly KeyContent[]): KeyFile {
  const paths = new Set(contents.map(({ file }) => file.path));
  for (let nanoseconds = 0; ; nanoseconds += 1) {
    const file = rotatedKeyFile(current, nowMs, nanoseconds);
    if (!paths.has(file.path)) return file;
  }
}

function requireClients(contents: readonly KeyContent[], clientIds: readonly string[]): void {
  const has = (id: string) =>
    contents.some(({ file }) => file.clientId === id && !file.rotated && file.purpose === 'storage-symmetric');
  const missing = clientIds.filter((id) => !has(id));
  if (clientIds.length > 0 && missing.length === 0) return;
  throw new KeystoreError('KEYSTORE_KEY_MISSING', 'there are no keys that could be rotated', {
    found: missing.join(', ') || 'no client',
  });
}

/** The new keys of a client, and its old ones under their new names. */
function rotatedFiles(
  { nowMs }: RotateKeysOptions,
  make: KeyMaker,
  key: Buffer,
  contents: readonly KeyContent[],
  clientId: string,
): KeyContent[] {
  const current = contents.filter(
    ({ file }) =>
      file.clientId === clientId && !file.rotated && ROTATED_PURPOSES.some((purpose) => purpose === file.purpose),
  );
  const hasPair = current.some(({ file }) => file.purpose === 'storage-private');
  const pair = () => make.pair(clientKeyFile(clientId, 'storage-private'), clientKeyFile(clientId, 'storage-public'));
  return [
    ...current.map(({ file, content }) => ({ file: oldFile(file, nowMs, contents), content })),
    make.seal(clientKeyFile(clientId, 'storage-symmetric'), key),
    ...(hasPair ? pair() : []),
  ];
}

/**
 * The new keystore is there whole when this returns, or not at all.
 * @returns the ids of the clients' keys in it: no key has the id of any other key of the keystore
 * @throws KeystoreError when the keystore is not sound or does not open with this key; KEYSTORE_KEY_MISSING, KEYSTORE_KEY_IDS,
 * KEYSTORE_EXISTS, KEYSTORE_WRITE
 */
export async function rotateKeys(options: RotateKeysOptions): Promise<readonly ClientKeyIds[]> {
  const { folder, newFolder, masterKey, random } = options;
  const clientIds = [...new Set(options.clientIds)];
  await refuseExistingKeystore(newFolder);
  const contents = await readKeystore(folder, masterKey);
  requireClients(contents, clientIds);
  const taken = new Set(knownKeys(themis, masterKey, contents).map(({ id }) => id));
  const rotated = useMasterKey(masterKey, (master) => {
    const make = new KeyMaker(themis, master, random);
    return clientIds.flatMap((clientId) => {
      const key = drawKey(random, taken);
      taken.add(keyId(key).toString('hex'));
      return rotatedFiles(options, make, key, contents, clientId);
    });
  });
  const replaced = new Set(rotated.map(({ file }) => file.path));
  const files = [...contents.filter(({ file }) => !replaced.has(file.path)), ...rotated];
  await writeKeystore(newFolder, files);
  const keys = knownKeys(themis, masterKey, files);
  return clientIds.map((clientId) => idsOf(keys, clientId));
}
