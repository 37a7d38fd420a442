/**
 * The three results of a build appear together: they are made in a folder beside their place and moved when all are whole.
 * A build that fails leaves what was there before, and nothing else.
 */
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EifBuildError } from '../build-errors.ts';

/**
 * @param folder made if it is not there
 * @param names files that `fill` makes in the folder that it is given
 * @throws EifBuildError EIF_BUILD_OUTPUT, or what `fill` throws
 */
export async function writeTogether<Result>(
  folder: string,
  names: readonly string[],
  fill: (workFolder: string) => Promise<Result>,
): Promise<Result> {
  const unwritable = (cause: unknown): never => {
    throw new EifBuildError('EIF_BUILD_OUTPUT', `cannot write to ${folder}`, { cause });
  };
  await mkdir(folder, { recursive: true }).catch(unwritable);
  const work = await mkdtemp(join(folder, '.build-')).catch(unwritable);
  try {
    const result = await fill(work);
    for (const name of names) {
      await rename(join(work, name), join(folder, name)).catch(unwritable);
    }
    return result;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
