/** Builds the application's file system of an image that a test made. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ApplicationRequest, applicationImage } from '../../../../eif/oci/application.ts';
import { parseImageName } from '../../../../eif/oci/source/image-name.ts';
import { ARCHITECTURE } from './layout.ts';

/** @param folder gets the work folder */
export function requestIn(
  folder: string,
  image: string,
  changes: Partial<ApplicationRequest> = {},
): ApplicationRequest {
  const workFolder = join(folder, 'work');
  mkdirSync(workFolder, { recursive: true });
  return {
    image: parseImageName(image, folder),
    given: image,
    programs: [],
    lock: undefined,
    extent: 'whole',
    keep: [],
    setuid: 'refuse',
    architecture: ARCHITECTURE,
    workFolder,
    cacheFolder: join(folder, 'cache'),
    environment: {},
    signal: AbortSignal.timeout(120_000),
    onProgress: () => undefined,
    ...changes,
  };
}

export function applicationOf(...given: Parameters<typeof requestIn>) {
  return applicationImage(requestIn(...given));
}
