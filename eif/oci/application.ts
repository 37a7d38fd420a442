/**
 * From a container image to the application's file system in an enclave image: opened, held against the lock file, read, judged, and cut to
 * what the programs need where that is wanted.
 */
import { join } from 'node:path';
import { harmlessText } from '../../runtime/harmless-text.ts';
import type { BomComponent } from '../bom/cyclonedx.ts';
import type { RamdiskContent } from '../rootfs/content.ts';
import { type ImageLock, lockOf, requireLocked } from './image-lock.ts';
import { type PlacedNode, walk } from './layers/nodes.ts';
import { judgePrivileges, namedSome, type SetuidChoice } from './layers/privileges.ts';
import { type ReadLayers, readLayers } from './layers/read-layers.ts';
import { containerComponents } from './packages.ts';
import { withPlaces } from './places.ts';
import { closureOf } from './programs/closure.ts';
import { ImageFiles } from './programs/file-system.ts';
import { findProgram, type ProgramOfImage } from './programs/find-program.ts';
import { ramdiskContent } from './ramdisk-content.ts';
import type { ContainerImage } from './source/image.ts';
import type { ImageName } from './source/image-name.ts';
import { openImage } from './source/open-image.ts';
import type { RegistryContext } from './source/registry.ts';

export interface ReadContext extends RegistryContext {
  readonly image: ImageName;
  /** Ours alone; must stay until the enclave image is written. */
  readonly workFolder: string;
}

export interface ApplicationRequest extends ReadContext {
  /** The image as the operator wrote it. */
  readonly given: string;
  /** Every command that enclave.yaml has for the image. */
  readonly programs: readonly ProgramOfImage[];
  /** Undefined: whatever the image is now is taken. */
  readonly lock: ImageLock | undefined;
  /** The whole image, or what its programs need. */
  readonly extent: 'whole' | 'closure';
  /** With `closure`: patterns of what is taken beside it. */
  readonly keep: readonly string[];
  readonly setuid: SetuidChoice;
}

export interface ApplicationImage {
  /** Relative to the application's root. */
  readonly content: RamdiskContent;
  readonly components: readonly BomComponent[];
  /** What was found. */
  readonly lock: ImageLock;
}

/** @throws OciError; EifBuildError EIF_BUILD_ELF */
export async function applicationImage(request: ApplicationRequest): Promise<ApplicationImage> {
  const { image, read, files } = await readContainer(request, (opened) => {
    if (request.lock !== undefined) requireLocked(request.lock, lockOf(opened, request.given));
  });
  const { nodes, hidden } = withPlaces(await extentOf(files, request));
  const dropped = judgePrivileges(nodes, request.setuid);
  tell(request, { read, hidden, dropped });
  const components = await containerComponents(image, files);
  return {
    content: ramdiskContent(nodes, { spool: read.spool, setuid: request.setuid }),
    components: request.extent === 'whole' ? components : components.slice(0, 1),
    lock: lockOf(image, request.given),
  };
}

export interface ReadContainer {
  readonly image: ContainerImage;
  readonly read: ReadLayers;
  readonly files: ImageFiles;
}

/** @param judge looks at the image before its layers are read @throws OciError */
export async function readContainer(
  context: ReadContext,
  judge: (image: ContainerImage) => void = () => undefined,
): Promise<ReadContainer> {
  const image = await openImage(context.image, { ...context, archiveFolder: join(context.workFolder, 'archive') });
  judge(image);
  const read = await readLayers(image, { ...context, spoolPath: join(context.workFolder, 'contents') });
  return { image, read, files: new ImageFiles(read) };
}

async function extentOf(files: ImageFiles, request: ApplicationRequest): Promise<readonly PlacedNode[]> {
  const { programs, architecture, keep, onProgress } = request;
  if (request.extent === 'closure') {
    const { nodes, missing } = await closureOf(files, request);
    for (const each of missing) onProgress(`warning: not in the image: ${harmlessText(each)}`);
    return nodes;
  }
  if (keep.length > 0) onProgress('note: keep has no meaning without closure: the whole image is taken');
  for (const program of programs) await findProgram(files, program, architecture);
  return [...walk(files.root)];
}

interface Told {
  readonly read: ReadLayers;
  readonly hidden: readonly string[];
  readonly dropped: readonly string[];
}

/** What is not in the enclave image as it is in the container image. */
function tell({ onProgress }: ApplicationRequest, { read, hidden, dropped }: Told): void {
  const { leftOut, withAttributes } = read;
  if (leftOut.length > 0) onProgress(`left out, devices and fifos: ${namedSome(leftOut)}`);
  if (hidden.length > 0) onProgress(`left out, below what the enclave mounts: ${namedSome(hidden)}`);
  if (dropped.length > 0) onProgress(`without the rights of others: ${namedSome(dropped)}`);
  if (withAttributes > 0) onProgress(`left out: extended attributes of ${withAttributes} entries`);
}
