/** Work folders for container images, which are gone afterwards. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

export interface WorkFolder extends AsyncDisposable {
  readonly path: string;
}

/** @param parent of the folder, on a file system with room for the contents of an image; made where it is not there */
export async function workFolderIn(parent: string): Promise<WorkFolder> {
  await mkdir(parent, { recursive: true });
  const path = await mkdtemp(join(parent, '.reading-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
