/**
 * Strict streaming reader of newc archives: lists entries with the SHA-256 of their contents, in constant memory. It takes
 * names as they come, for it writes no files. Specification: as newc.ts; one archive, then zeros only.
 */
import { createHash } from 'node:crypto';
import { CpioError } from '../errors.ts';
import type { ByteSource } from '../format/writer.ts';
import { ByteReader } from './byte-reader.ts';
import {
  type CpioHeader,
  FILE_TYPE,
  FILE_TYPE_MASK,
  HEADER_BYTES,
  MAX_NAME_BYTES,
  PERMISSION_MASK,
  paddingTo,
  parseHeader,
  TRAILER_NAME,
} from './newc.ts';

/** A whole image fits in the memory of an enclave, so no archive is longer. */
const MAX_ARCHIVE_BYTES = 17_179_869_184;
const MAX_ENTRIES = 1_000_000;
/** Of all names and link targets together, for readers that keep them; a Debian with 160,000 files has 10 MB. */
const MAX_TEXT_BYTES = 67_108_864;

type CpioType = keyof typeof FILE_TYPE;

export interface CpioEntry {
  readonly name: string;
  readonly type: CpioType;
  /** Permission bits. */
  readonly mode: number;
  readonly header: CpioHeader;
  /** Of a symlink. */
  readonly target: string | undefined;
  /** Hexadecimal; of the contents of a file. */
  readonly sha256: string | undefined;
  /** Of a file that was wanted. */
  readonly content?: Buffer;
}

type IsWanted = (file: { readonly name: string; readonly bytes: number }) => boolean;

/** @param isWanted which files are to be had whole; default: none @throws CpioError CPIO_TRUNCATED, CPIO_MAGIC, CPIO_FIELD, CPIO_NAME, CPIO_PADDING, CPIO_TOO_LARGE, CPIO_TRAILING_BYTES */
export async function* readCpio(source: ByteSource, isWanted: IsWanted = () => false): AsyncGenerator<CpioEntry, void> {
  const reader = new ByteReader(source, MAX_ARCHIVE_BYTES);
  const shared = new SharedFiles();
  let textBytes = 0;
  try {
    for (let count = 0; count < MAX_ENTRIES; count++) {
      const offset = reader.offset;
      const header = parseHeader(await reader.take(HEADER_BYTES), offset);
      const name = await readName(reader, header.nameBytes);
      if (name === TRAILER_NAME && header.size === 0) {
        await reader.expectZerosToEnd();
        return;
      }
      const entry = shared.complete(await readEntry(reader, header, { name, offset, isWanted }), offset);
      textBytes += header.nameBytes + (entry.target === undefined ? 0 : header.size);
      if (textBytes > MAX_TEXT_BYTES) {
        const allowed = `at most ${MAX_TEXT_BYTES} bytes`;
        throw new CpioError('CPIO_TOO_LARGE', 'all names and link targets together are too long', { offset, allowed });
      }
      yield entry;
    }
    throw new CpioError('CPIO_TOO_LARGE', 'the archive has too many entries', { allowed: `${MAX_ENTRIES} entries` });
  } finally {
    await reader.close();
  }
}

/**
 * Files with several names. The kernel links an entry to the first with its inode number (initramfs.c, maybe_link) and writes its data, if
 * it has any, over the first's: only the first may have data, or what is listed were not what an enclave finds.
 */
class SharedFiles {
  readonly #first = new Map<string, CpioEntry>();

  /** @throws CpioError CPIO_FIELD */
  complete(entry: CpioEntry, offset: number): CpioEntry {
    const { deviceMajor, deviceMinor, inode, links, size } = entry.header;
    if (entry.type !== 'file' || links < 2) return entry;
    const key = [deviceMajor, deviceMinor, inode].join(':');
    const first = this.#first.get(key);
    if (first === undefined) {
      this.#first.set(key, entry);
      return entry;
    }
    if (size > 0) throw new CpioError('CPIO_FIELD', 'a further name of a file has data of its own', { offset });
    const { name, type, mode, header, target } = entry;
    const { sha256, content } = first;
    return { name, type, mode, header, target, sha256, ...(content === undefined ? {} : { content }) };
  }
}

async function readName(reader: ByteReader, nameBytes: number): Promise<string> {
  const offset = reader.offset;
  const bytes = await reader.take(nameBytes);
  const nul = bytes.indexOf(0);
  if (nul !== nameBytes - 1) {
    throw new CpioError('CPIO_NAME', 'a name does not end at its NUL byte', { offset, found: `NUL at ${nul}` });
  }
  await reader.expectZeros(paddingTo(4, reader.offset));
  return bytes.toString('utf8', 0, nul);
}

function typeOf(mode: number, offset: number): CpioType {
  for (const [type, bits] of Object.entries(FILE_TYPE)) {
    if ((mode & FILE_TYPE_MASK) === bits && mode <= 0xffff) return type as CpioType;
  }
  throw new CpioError('CPIO_FIELD', 'unknown file type', { offset, found: mode.toString(8) });
}

interface Place {
  readonly name: string;
  readonly offset: number;
  readonly isWanted: IsWanted;
}

async function readEntry(reader: ByteReader, header: CpioHeader, place: Place): Promise<CpioEntry> {
  const { name, offset } = place;
  const type = typeOf(header.mode, offset);
  const common = { name, type, mode: header.mode & PERMISSION_MASK, header };
  const data = await readData(reader, type, header.size, place);
  await reader.expectZeros(paddingTo(4, reader.offset));
  return { ...common, ...data };
}

async function readData(
  reader: ByteReader,
  type: CpioType,
  size: number,
  { name, offset, isWanted }: Place,
): Promise<Pick<CpioEntry, 'target' | 'sha256' | 'content'>> {
  if (type === 'file') {
    const hash = createHash('sha256');
    const pieces: Buffer[] = [];
    const isKept = isWanted({ name, bytes: size });
    await reader.forEach(size, (chunk) => {
      hash.update(chunk);
      if (isKept) pieces.push(Buffer.from(chunk));
    });
    const common = { target: undefined, sha256: hash.digest('hex') };
    return isKept ? { ...common, content: Buffer.concat(pieces) } : common;
  }
  const limit = type === 'symlink' ? MAX_NAME_BYTES : 0;
  if (size > limit) {
    throw new CpioError('CPIO_FIELD', `a ${type} has too much data`, {
      offset,
      found: `${size} bytes`,
      allowed: `at most ${limit}`,
    });
  }
  const data = await reader.take(size);
  return { target: type === 'symlink' ? data.toString('utf8') : undefined, sha256: undefined };
}
