/**
 * The keystore of one identity's acra-server: its own keys, those that the encryptor configuration names for single columns, and the
 * keystore's own (poison records). A copy in memory, because acra-server reads only what belongs to its user (acra-server contract
 * 1.2, 2.5); sealed under the master key, as where it comes from. It is made anew for each process: while none runs, nobody can lead the
 * hand that copies elsewhere by a link.
 */
import { chmodSync, chownSync, copyFileSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FOLDER_MODE } from '../../../acra/keystore/layout.ts';
import { listKeystore } from '../../../acra/keystore/listing.ts';
import type { Confinement } from '../../../system/processes/confinement.ts';

type Home = Pick<Confinement, 'folder' | 'user'>;

/** @returns paths within the folder */
export async function ownKeyFiles(keystoreFolder: string, clientIds: ReadonlySet<string>): Promise<readonly string[]> {
  const { files } = await listKeystore(keystoreFolder);
  return files.filter(({ clientId }) => clientId === undefined || clientIds.has(clientId)).map(({ path }) => path);
}

export function ownKeystoreFolder({ folder }: Home): string {
  return join(folder, 'keystore');
}

/** In the place of what was there. To be called while no process of this home runs. */
export function copyOwnKeystore(home: Home, keystoreFolder: string, files: readonly string[]): void {
  const own = ownKeystoreFolder(home);
  const { user } = home;
  rmSync(own, { recursive: true, force: true });
  const give = (path: string, mode: number) => {
    chmodSync(path, mode);
    if (user) chownSync(path, user.uid, user.gid);
  };
  const makeFolder = (path: string) => {
    if (mkdirSync(path, { recursive: true }) !== undefined) give(path, FOLDER_MODE);
  };
  makeFolder(own);
  for (const path of files) {
    makeFolder(dirname(join(own, path)));
    copyFileSync(join(keystoreFolder, path), join(own, path));
    give(join(own, path), lstatSync(join(keystoreFolder, path)).mode & 0o777);
  }
}
