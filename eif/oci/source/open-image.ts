/** Opens the image that `--image` names, in whatever form it is. */

import { openDockerArchive, openOciArchive } from './archives.ts';
import type { ContainerImage } from './image.ts';
import type { ImageName } from './image-name.ts';
import { openLayout } from './layout.ts';
import { openFromRegistry, type RegistryContext } from './registry.ts';

export interface OpenContext extends RegistryContext {
  /** Does not exist, and gets parts of an archive; must stay until the layers are read. */
  readonly archiveFolder: string;
}

/** @throws OciError; the signal's reason */
export async function openImage(image: ImageName, context: OpenContext): Promise<ContainerImage> {
  if (image.kind === 'registry') return openFromRegistry(image.reference, context);
  const { architecture, archiveFolder, signal } = context;
  const { path, name } = image;
  if (image.kind === 'oci') return openLayout(path, name, architecture);
  const place = { architecture, folder: archiveFolder, signal };
  return image.kind === 'oci-archive'
    ? openOciArchive({ file: path, name }, place)
    : openDockerArchive({ file: path, name }, place);
}
