/** What a container image says of how it is run, for whoever writes an enclave.yaml of it. */
import { cwd } from 'node:process';
import { readContainer } from '../../eif/oci/application.ts';
import { type ProgramDefaults, programDefaults } from '../../eif/oci/programs/defaults.ts';
import { parseImageName } from '../../eif/oci/source/image-name.ts';
import { userCacheFolder } from '../cache-folder.ts';
import { progress } from '../output.ts';
import { workFolderIn } from './container-folders.ts';
import { hostArchitecture } from './provide-kernel.ts';

export interface ImagePrograms {
  readonly defaults: ProgramDefaults;
  readonly configDigest: string;
}

/** @param name as `--image` has it @throws OciError */
export async function imagePrograms(name: string, signal: AbortSignal): Promise<ImagePrograms> {
  const cacheFolder = userCacheFolder(process.env, 'images');
  await using work = await workFolderIn(cacheFolder);
  const { image, files } = await readContainer({
    image: parseImageName(name, cwd()),
    architecture: hostArchitecture(),
    cacheFolder,
    workFolder: work.path,
    environment: process.env,
    signal,
    onProgress: progress,
  });
  return { defaults: await programDefaults(image.config.config, files), configDigest: image.configDigest };
}
