/**
 * The keystore of one identity's acra-server: its own keys, those that the encryptor configuration names for single columns, and the
 * keystore's own (poison records). A copy in memory, because acra-server reads only what belongs to its user (acra-server contract
 * 1.2, 2.5); sealed under the master key, as in the image.
 */
import { chmodSync, chownSync, copyFileSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FOLDER_MODE } from '../../../acra/keystore/layout.ts';
import { listKeystore } from '../../../acra/keystore/listing.ts';
import type { Confinement } from '../../../system/processes/confinement.ts';

/** @returns the folder */
export async function ownKeystore(
  { folder, user }: Pick<Confinement, 'folder' | 'user'>,
  keystoreFolder: string,
  clientIds: ReadonlySet<string>,
): Promise<string> {
  const own = join(folder, 'keystore');
  rmSync(own, { recursive: true, force: true });
  const give = (path: string, mode: number) => {
    chmodSync(path, mode);
    if (user) chownSync(path, user.uid, user.gid);
  };
  const makeFolder = (path: string) => {
    if (mkdirSync(path, { recursive: true }) !== undefined) give(path, FOLDER_MODE);
  };
  makeFolder(own);
  const { files } = await listKeystore(keystoreFolder);
  for (const { path } of files.filter(({ clientId }) => clientId === undefined || clientIds.has(clientId))) {
    makeFolder(dirname(join(own, path)));
    copyFileSync(join(keystoreFolder, path), join(own, path));
    give(join(own, path), lstatSync(join(keystoreFolder, path)).mode & 0o777);
  }
  return own;
}
