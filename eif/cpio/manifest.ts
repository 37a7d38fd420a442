/**
 * What goes into an archive, said entry by entry: nothing is taken over from the file system but the contents of files, so
 * the archive does not depend on who builds it, where and when.
 */
import { CpioError } from '../errors.ts';
import { MAX_FIELD, MAX_NAME_BYTES, PERMISSION_MASK, TRAILER_NAME } from './newc.ts';

interface CommonItem {
  /** Relative to the root of the archive, with "/" between folders. */
  readonly name: string;
  /** Permission bits, at most 0o7777. */
  readonly mode: number;
  /** 0 unless given. */
  readonly uid?: number;
  /** 0 unless given. */
  readonly gid?: number;
  /** Seconds since the epoch; 0 unless given. */
  readonly mtimeS?: number;
}

interface DirectoryItem extends CommonItem {
  readonly type: 'directory';
}

/** Pieces that are made while they are archived; each valid until the next is asked for, all to be read once. */
export interface SizedPieces {
  /** Bytes of all pieces together. */
  readonly size: number;
  readonly pieces: AsyncIterable<Buffer>;
}

/** A file to read, the contents themselves, or a stream of known length. */
export type FileSource = { readonly path: string } | { readonly bytes: Uint8Array } | SizedPieces;

export interface FileItem extends CommonItem {
  readonly type: 'file';
  readonly source: FileSource;
}

interface SymlinkItem extends CommonItem {
  readonly type: 'symlink';
  readonly target: string;
}

interface DeviceItem extends CommonItem {
  readonly type: 'character' | 'block';
  readonly major: number;
  readonly minor: number;
}

/** A further name of a file; mode and owners are the file's. */
interface HardlinkItem {
  readonly type: 'hardlink';
  readonly name: string;
  /** Name of the file, which comes before it in the archive. */
  readonly to: string;
}

export type CpioItem = DirectoryItem | FileItem | SymlinkItem | DeviceItem | HardlinkItem;

/** 'sorted': by the bytes of the names. 'given': as listed, which AWS's bootstrap ramdisk needs. */
export type CpioOrder = 'sorted' | 'given';

/**
 * @returns the items in the order of the archive
 * @throws CpioError CPIO_NAME, CPIO_DUPLICATE, CPIO_PARENT_MISSING, CPIO_LINK_TARGET, CPIO_NUMBER_RANGE
 */
export function arrange(items: readonly CpioItem[], order: CpioOrder): readonly CpioItem[] {
  const arranged = order === 'given' ? items : items.toSorted((a, b) => Buffer.compare(nameKey(a), nameKey(b)));
  const types = new Map<string, CpioItem['type']>();
  for (const item of arranged) {
    checkName(item.name);
    if (item.type === 'hardlink') checkTarget(item, types);
    else checkMode(item);
    if (types.has(item.name)) throw new CpioError('CPIO_DUPLICATE', `${item.name} is listed twice`);
    checkParent(item.name, types);
    types.set(item.name, item.type);
  }
  return arranged;
}

function nameKey({ name }: CpioItem): Buffer {
  return Buffer.from(name);
}

function checkName(name: string): void {
  const parts = name.split('/');
  const isPlain = parts.every((part) => part !== '' && part !== '.' && part !== '..') && !name.includes('\0');
  if (isPlain && name.isWellFormed() && Buffer.byteLength(name) < MAX_NAME_BYTES && name !== TRAILER_NAME) return;
  throw new CpioError('CPIO_NAME', 'an entry has a name that archives must not have', { found: JSON.stringify(name) });
}

function checkTarget({ name, to }: HardlinkItem, types: ReadonlyMap<string, CpioItem['type']>): void {
  if (types.get(to) === 'file') return;
  throw new CpioError('CPIO_LINK_TARGET', `${name} is a further name of ${to}, which is no file before it`);
}

function checkMode({ name, mode }: CommonItem): void {
  if (Number.isInteger(mode) && mode >= 0 && mode <= PERMISSION_MASK) return;
  throw new CpioError('CPIO_NUMBER_RANGE', `mode of ${name} is out of range`, {
    found: mode.toString(8),
    allowed: 'octal 0 to 7777',
  });
}

function checkParent(name: string, types: ReadonlyMap<string, CpioItem['type']>): void {
  const slash = name.lastIndexOf('/');
  if (slash === -1 || types.get(name.slice(0, slash)) === 'directory') return;
  throw new CpioError('CPIO_PARENT_MISSING', `${name} lies in no folder of the archive`, {
    allowed: `a directory ${name.slice(0, slash)} before it`,
  });
}

/** @throws CpioError CPIO_NUMBER_RANGE */
export function checkFileSize(name: string, size: number): void {
  if (size <= MAX_FIELD) return;
  throw new CpioError('CPIO_NUMBER_RANGE', `${name} is too large`, {
    found: `${size} bytes`,
    allowed: `at most ${MAX_FIELD} bytes`,
  });
}
