/**
 * The entries of a layer's tar archive that have a place in an image: files, folders and links. The archive is read by
 * modern-tar; which types of entries may come, and later which paths (image-tree.ts), is decided here.
 */
import { type ParsedTarEntryWithData, unpackTar } from 'modern-tar';
import { AcraError } from '../errors.ts';

export interface TarEntry {
  readonly type: 'file' | 'folder' | 'symlink' | 'hardlink';
  readonly path: string;
  /** Of links; empty otherwise. */
  readonly target: string;
  readonly mode: number;
  readonly content: Buffer;
}

const TYPES: ReadonlyMap<string, TarEntry['type']> = new Map([
  ['file', 'file'],
  ['link', 'hardlink'],
  ['symlink', 'symlink'],
  ['directory', 'folder'],
]);
/** A file with holes, which the reader would hand out without them. */
const SPARSE = 'GNU.sparse.';

function invalid(message: string, cause?: unknown): AcraError {
  const details = cause === undefined ? {} : { cause };
  return new AcraError('ACRA_IMAGE_INVALID', `the archive of a layer is invalid: ${message}`, details);
}

function entryOf({ header, data = new Uint8Array() }: ParsedTarEntryWithData): TarEntry {
  const { name, type: kind = 'file', linkname = '', mode = 0, pax = {} } = header;
  const type = TYPES.get(kind);
  if (type === undefined || Object.keys(pax).some((key) => key.startsWith(SPARSE))) {
    throw invalid(`an entry of type ${type === undefined ? kind : 'sparse file'} has no place in it`);
  }
  const content = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return { type, path: name, target: linkname, mode, content };
}

/**
 * Entries in their order.
 * @param archive known to be small enough
 * @throws AcraError ACRA_IMAGE_INVALID, also for devices and pipes
 */
export async function readTar(archive: Buffer): Promise<readonly TarEntry[]> {
  let entries: ParsedTarEntryWithData[];
  try {
    entries = await unpackTar(archive, { strict: true });
  } catch (cause) {
    throw invalid('it cannot be read', cause);
  }
  return entries.map(entryOf);
}
