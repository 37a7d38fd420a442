/** How much memory the files of an image take once the kernel has unpacked them: whole pages. */
import { stat } from 'node:fs/promises';
import { EifBuildError } from '../build-errors.ts';
import type { RamdiskContent, RootfsFile } from './content.ts';

const PAGE_BYTES = 4096;

async function sizeOf({ name, source }: RootfsFile): Promise<number> {
  if ('bytes' in source) return source.bytes.length;
  if ('pieces' in source) return source.size;
  try {
    return (await stat(source.path)).size;
  } catch (cause) {
    throw new EifBuildError('EIF_BUILD_FOLDER_READ', `cannot look at what becomes /${name}`, { cause });
  }
}

/** @throws EifBuildError EIF_BUILD_FOLDER_READ */
export async function unpackedBytes({ files }: RamdiskContent): Promise<number> {
  const sizes = await Promise.all(files.map(sizeOf));
  return sizes.reduce((sum, bytes) => sum + Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES, 0);
}
