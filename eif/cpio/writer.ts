/**
 * Writes deterministic newc archives, numbered as linuxkit does (nitro-formats 3.3), so that ramdisks of nitro-cli can
 * be made byte for byte. Files are streamed.
 */
import { EifError } from '../errors.ts';
import { openInputFile, readChunks } from '../input-file.ts';
import { arrange, type CpioItem, type CpioOrder, checkFileSize, type FileItem, type SizedPieces } from './manifest.ts';
import { encodeEntry, FILE_TYPE, paddingTo, TRAILER_NAME } from './newc.ts';

/** Where linuxkit's cpio writer starts to count. */
const FIRST_INODE = 721;
/** The device that all entries claim to come from. */
const DEVICE = { deviceMajor: 3, deviceMinor: 1 };
/** Archives end on a full tape block. */
const ARCHIVE_BLOCK_BYTES = 512;

const LINKS = 1;
const DIRECTORY_LINKS = 2;

/** The first name of a file with several: what the entries of the others repeat. */
interface Linked {
  readonly file: FileItem;
  readonly inode: number;
  /** Names of the file. */
  readonly links: number;
}

/**
 * The archive in pieces; each is valid until the next is asked for.
 * @throws CpioError CPIO_NAME, CPIO_DUPLICATE, CPIO_PARENT_MISSING, CPIO_LINK_TARGET, CPIO_NUMBER_RANGE;
 * EifError EIF_FILE_READ, EIF_FILE_CHANGED
 */
export async function* writeCpio(items: readonly CpioItem[], order: CpioOrder): AsyncGenerator<Buffer, void> {
  let length = 0;
  let inode = FIRST_INODE;
  const arranged = arrange(items, order);
  const names = countNames(arranged);
  const linked = new Map<string, Linked>();
  for (const item of arranged) {
    const links = names.get(item.name) ?? LINKS;
    if (item.type === 'file' && links > LINKS) linked.set(item.name, { file: item, inode, links });
    const pieces =
      item.type === 'hardlink' ? linkPieces(item.name, linked.get(item.to)) : entryPieces(item, inode, links);
    for await (const piece of pieces) {
      length += piece.length;
      yield piece;
    }
    const padding = paddingTo(4, length);
    length += padding;
    if (padding > 0) yield Buffer.alloc(padding);
    inode++;
  }
  const trailer = encodeEntry(TRAILER_NAME, { ...numbers(inode), mode: 0, links: LINKS, size: 0 });
  yield trailer;
  yield Buffer.alloc(paddingTo(ARCHIVE_BLOCK_BYTES, length + trailer.length));
}

function numbers(inode: number) {
  return { inode, uid: 0, gid: 0, mtimeS: 0, nodeMajor: 0, nodeMinor: 0, ...DEVICE };
}

type InodeItem = Exclude<CpioItem, { readonly type: 'hardlink' }>;

/** Of files that have more than one. */
function countNames(items: readonly CpioItem[]): ReadonlyMap<string, number> {
  const names = new Map<string, number>();
  for (const item of items) {
    if (item.type === 'hardlink') names.set(item.to, (names.get(item.to) ?? LINKS) + 1);
  }
  return names;
}

/** The kernel makes a link of an entry whose inode it has seen, and leaves the data as it is where there is none. */
async function* linkPieces(name: string, target: Linked | undefined): AsyncGenerator<Buffer, void> {
  if (target === undefined) return;
  yield encodeItem({ ...target.file, name }, target.inode, 0, target.links);
}

function encodeItem(item: InodeItem, inode: number, size: number, links: number): Buffer {
  const { name, uid = 0, gid = 0, mtimeS = 0 } = item;
  const isDevice = item.type === 'character' || item.type === 'block';
  return encodeEntry(name, {
    ...numbers(inode),
    mode: FILE_TYPE[item.type] | item.mode,
    uid,
    gid,
    links: item.type === 'directory' ? DIRECTORY_LINKS : links,
    mtimeS,
    size,
    nodeMajor: isDevice ? item.major : 0,
    nodeMinor: isDevice ? item.minor : 0,
  });
}

async function* entryPieces(item: InodeItem, inode: number, links: number): AsyncGenerator<Buffer, void> {
  if (item.type === 'file') {
    yield* filePieces(item, inode, links);
    return;
  }
  const data = item.type === 'symlink' ? Buffer.from(item.target) : Buffer.alloc(0);
  yield encodeItem(item, inode, data.length, links);
  yield data;
}

async function* filePieces(item: FileItem, inode: number, links: number): AsyncGenerator<Buffer, void> {
  const { source } = item;
  if ('bytes' in source) {
    const { bytes } = source;
    checkFileSize(item.name, bytes.length);
    yield encodeItem(item, inode, bytes.length, links);
    yield Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    return;
  }
  if ('pieces' in source) {
    yield* sizedPieces(item, inode, links, source);
    return;
  }
  const file = await openInputFile(source.path);
  try {
    yield* sizedPieces(item, inode, links, { size: file.size, pieces: readChunks(file, 0, file.size) });
  } finally {
    await file.handle.close();
  }
}

async function* sizedPieces(
  item: FileItem,
  inode: number,
  links: number,
  source: SizedPieces,
): AsyncGenerator<Buffer, void> {
  const { size, pieces } = source;
  checkFileSize(item.name, size);
  yield encodeItem(item, inode, size, links);
  let seen = 0;
  for await (const piece of pieces) {
    seen += piece.length;
    if (seen > size) break;
    yield piece;
  }
  if (seen === size) return;
  throw new EifError('EIF_FILE_CHANGED', `the source of ${item.name} changed its length while it was archived`);
}
