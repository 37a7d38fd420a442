/**
 * The entries of a tar archive, read by modern-tar as they stream by: what each is, and what it brings that an enclave image has no
 * place for. Specification: OCI image-spec 1.1, layer.md; POSIX pax; extended attributes as GNU tar and libarchive write them.
 */
import { createTarDecoder, type TarHeader } from 'modern-tar';
import { CodedError } from '../../../runtime/errors.ts';
import { OciError } from '../errors.ts';
import { HeaderWatch } from './type-flags.ts';

interface CommonEntry {
  /** As it stands there. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whether it has file capabilities. */
  readonly isCapable: boolean;
  /** How many other extended attributes it has. */
  readonly attributes: number;
}

interface FileEntry extends CommonEntry {
  readonly kind: 'file';
  readonly size: number;
  /** To be read before the next entry is asked for. */
  readonly body: AsyncIterable<Uint8Array>;
}

interface LinkEntry extends CommonEntry {
  readonly kind: 'symlink' | 'hardlink';
  readonly target: string;
}

interface PlainEntry extends CommonEntry {
  readonly kind: 'folder' | 'device' | 'fifo';
}

export type TarEntry = FileEntry | LinkEntry | PlainEntry;

const PERMISSIONS = 0o7777;
const ATTRIBUTE = /^(?:SCHILY|LIBARCHIVE)\.xattr\.(.*)$/s;
const CAPABILITY = 'security.capability';
/** A file with holes in the form of pax, which the library would hand out without them. */
const SPARSE = 'GNU.sparse.';
/** What a decoder puts in the place of bytes that are no UTF-8. */
const NO_TEXT = '\ufffd';

/**
 * @param archive uncompressed; its pieces may be overwritten when the next is asked for
 * @throws OciError EIF_OCI_LAYER; what the archive throws
 */
export async function* readTar(archive: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry, void> {
  const watch = new HeaderWatch();
  const stream = ReadableStream.from(copied(watch.watched(archive)));
  try {
    for await (const { header, body } of stream.pipeThrough(createTarDecoder({ strict: true }))) {
      if (header.size !== watch.nextSize())
        throw new OciError(
          'EIF_OCI_LAYER',
          `the entry ${JSON.stringify(header.name)} has another size in its extended header`,
        );
      yield entryOf(header, body);
      // What nobody has read is in the way of the next entry.
      if (!body.locked) await body.cancel();
    }
  } catch (cause) {
    throw coded(cause);
  }
}

function coded(cause: unknown): CodedError {
  if (cause instanceof CodedError) return cause;
  return new OciError('EIF_OCI_LAYER', 'a tar archive of the image cannot be read', { cause });
}

async function* dataOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* body;
  } catch (cause) {
    throw coded(cause);
  }
}

/** The library keeps pieces until their bytes are asked for. */
async function* copied(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  for await (const piece of pieces) yield new Uint8Array(piece);
}

function entryOf(header: TarHeader, body: ReadableStream<Uint8Array>): TarEntry {
  const { name, size, type = 'file', linkname = '', mode = 0, uid = 0, gid = 0, pax = {} } = header;
  const refuse = (why: string) => new OciError('EIF_OCI_LAYER', `the entry ${JSON.stringify(name)} ${why}`);
  const attributes = Object.keys(pax).flatMap((key) => ATTRIBUTE.exec(key)?.[1] ?? []);
  if (Object.keys(pax).some((key) => key.startsWith(SPARSE))) throw refuse('is a sparse file');
  if ([name, linkname].some((text) => text.includes(NO_TEXT))) throw refuse('has a name that is no UTF-8');
  const others = attributes.filter((attribute) => attribute !== CAPABILITY);
  const common = {
    path: name,
    mode: mode & PERMISSIONS,
    uid,
    gid,
    isCapable: others.length < attributes.length,
    attributes: others.length,
  };
  switch (type) {
    case 'file':
      return { ...common, kind: 'file', size, body: dataOf(body) };
    case 'directory':
      return { ...common, kind: 'folder' };
    case 'symlink':
      return { ...common, kind: 'symlink', target: linkname };
    case 'link':
      return { ...common, kind: 'hardlink', target: linkname };
    case 'character-device':
    case 'block-device':
      return { ...common, kind: 'device' };
    case 'fifo':
      return { ...common, kind: 'fifo' };
    default:
      throw refuse(`is of a type that has no place in an image (${type})`);
  }
}
