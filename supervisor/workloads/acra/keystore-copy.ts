/**
 * acra-server reads only a keystore that is its own user's (acra-server contract 1.2). The one in the image belongs to the first;
 * any further one gets a copy in its folder in memory. What is copied is sealed under the master key, as it is in the image.
 */
import { chownSync, cpSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Confinement } from '../../../system/processes/confinement.ts';

/** @returns the folder that a process in this confinement may read keys from */
export function keystoreFor({ user, folder }: Pick<Confinement, 'user' | 'folder'>, keystoreFolder: string): string {
  if (user === undefined || lstatSync(keystoreFolder).uid === user.uid) return keystoreFolder;
  const copy = join(folder, 'keystore');
  cpSync(keystoreFolder, copy, { recursive: true, force: true, mode: 0 });
  for (const entry of ['.', ...readdirSync(copy, { recursive: true, encoding: 'utf8' })]) {
    chownSync(join(copy, entry), user.uid, user.gid);
  }
  return copy;
}
