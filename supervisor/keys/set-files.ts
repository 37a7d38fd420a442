/**
 * The parts of a key set as files in memory, where acra-server and the processes with Themis need them, and back. A set holds no other files
 * than those of a keystore: a path that acra-server would not know is refused before anything is written.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeKeyFile, PRIVATE_FILE_MODE } from '../../acra/keystore/layout.ts';
import { listKeystore } from '../../acra/keystore/listing.ts';
import { type KeyContent, writeKeystore } from '../../acra/keystore/write-keystore.ts';
import { SECRET_SETTINGS } from '../../config/user-secrets.ts';
import { KeyError } from '../../keys/errors.ts';
import type { KeySet } from '../../keys/set/key-set.ts';
import type { SealedSecret } from './open-keys.ts';

export type SetKeystore = KeySet['keystore'];
export type SetSecret = KeySet['secrets'][number];

function contentOf({ path, content }: SetKeystore[number]): KeyContent {
  const file = describeKeyFile(path);
  if (file !== undefined) return { file, content: Buffer.from(content, 'base64') };
  throw new KeyError('KEY_SET_INVALID', 'the key set names a file that no keystore has', { found: path });
}

/** @param folder must not exist. @throws KeyError KEY_SET_INVALID; KeystoreError KEYSTORE_WRITE */
export async function writeSetKeystore(folder: string, keystore: SetKeystore): Promise<void> {
  await writeKeystore(folder, keystore.map(contentOf));
}

/** Of a keystore that a process of ours has made. */
export async function readSetKeystore(folder: string): Promise<SetKeystore> {
  const { files } = await listKeystore(folder);
  const read = files.map(async ({ path }) => ({
    path,
    content: (await readFile(join(folder, path))).toString('base64'),
  }));
  return inOrder(await Promise.all(read));
}

/** As key sets have them. */
export function inOrder(keystore: SetKeystore): SetKeystore {
  return keystore.toSorted((one, other) => (one.path < other.path ? -1 : 1));
}

/** As key sets have them. */
export function secretsInOrder(secrets: readonly SetSecret[]): SetSecret[] {
  const nameOf = ({ user, slot }: SetSecret) => `${user}\0${slot}`;
  return secrets.toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
}

/** Those of a user in the order in which they are tried. */
export function secretsOf(set: Pick<KeySet, 'secrets'>, user: string): SetSecret[] {
  return SECRET_SETTINGS.flatMap((slot) => set.secrets.filter((each) => each.user === user && each.slot === slot));
}

/**
 * Each into a file of its own below `folder`, which exists: names of users are no names of files.
 * @returns in the order of `secrets`
 */
export async function writeSetSecrets(folder: string, secrets: readonly SetSecret[]): Promise<SealedSecret[]> {
  const written: SealedSecret[] = [];
  for (const [index, { user, slot, sealed }] of secrets.entries()) {
    const file = join(folder, `${index}.sealed`);
    await writeFile(file, Buffer.from(sealed, 'base64'), { mode: PRIVATE_FILE_MODE, flag: 'wx' });
    written.push({ user, file, called: `${slot} of ${user} in the key set` });
  }
  return written;
}
