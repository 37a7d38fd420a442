/** Where container images are kept, and work folders that are gone afterwards. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Images of registries; the user's cache (XDG base directory specification). */
export function containerCacheFolder(environment: NodeJS.ProcessEnv): string {
  const cache = environment['XDG_CACHE_HOME'];
  return join(cache === undefined || cache === '' ? join(homedir(), '.cache') : cache, 'acra-enclave', 'images');
}

export interface WorkFolder extends AsyncDisposable {
  readonly path: string;
}

/** @param parent of the folder, on a file system with room for the contents of an image; made where it is not there */
export async function workFolderIn(parent: string): Promise<WorkFolder> {
  await mkdir(parent, { recursive: true });
  const path = await mkdtemp(join(parent, '.reading-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
