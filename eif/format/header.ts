/**
 * The image header: 548 bytes with the architecture, the table of sections and the checksum of everything else.
 * Specification: nitro-formats 3.1, first table. Sections must fill the file from the end of the header to its last byte.
 */
import { EifError } from '../errors.ts';
import {
  EIF_MAGIC,
  EIF_VERSION,
  FLAG_AARCH64,
  HEADER_BYTES,
  HEADER_OFFSET,
  MAX_SECTIONS,
  MIN_SECTIONS,
  SECTION_HEADER_BYTES,
} from './constants.ts';

export type Architecture = 'x86_64' | 'aarch64';

export interface SectionSpan {
  /** File offset of the section header. */
  readonly offset: number;
  /** Bytes of data, without the section header. */
  readonly size: number;
}

export interface EifHeader {
  readonly architecture: Architecture;
  readonly defaultMemBytes: bigint;
  readonly defaultCpus: bigint;
  readonly sections: readonly SectionSpan[];
  /** CRC-32 of the whole file but for this field. */
  readonly crc32: number;
}

/** @returns 548 bytes. */
export function encodeHeader(header: EifHeader): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt32BE(EIF_MAGIC, HEADER_OFFSET.magic);
  bytes.writeUInt16BE(EIF_VERSION, HEADER_OFFSET.version);
  bytes.writeUInt16BE(header.architecture === 'aarch64' ? FLAG_AARCH64 : 0, HEADER_OFFSET.flags);
  bytes.writeBigUInt64BE(header.defaultMemBytes, HEADER_OFFSET.defaultMem);
  bytes.writeBigUInt64BE(header.defaultCpus, HEADER_OFFSET.defaultCpus);
  bytes.writeUInt16BE(header.sections.length, HEADER_OFFSET.sectionCount);
  header.sections.forEach(({ offset, size }, index) => {
    bytes.writeBigUInt64BE(BigInt(offset), offsetSlot(index));
    bytes.writeBigUInt64BE(BigInt(size), sizeSlot(index));
  });
  bytes.writeUInt32BE(header.crc32, HEADER_OFFSET.crc32);
  return bytes;
}

/**
 * @param bytes the first 548 bytes of the file
 * @param fileSize in bytes; no offset or size is believed that does not fit in it
 * @throws EifError EIF_MAGIC, EIF_VERSION, EIF_FLAGS, EIF_RESERVED, EIF_SECTION_COUNT, EIF_SECTION_OVERLAP,
 * EIF_SECTION_GAP, EIF_TRUNCATED, EIF_TRAILING_BYTES
 */
export function parseHeader(bytes: Buffer, fileSize: number): EifHeader {
  checkIdentity(bytes);
  const count = bytes.readUInt16BE(HEADER_OFFSET.sectionCount);
  if (count < MIN_SECTIONS || count > MAX_SECTIONS) {
    throw new EifError('EIF_SECTION_COUNT', 'number of sections is out of range', {
      offset: HEADER_OFFSET.sectionCount,
      found: String(count),
      allowed: `${MIN_SECTIONS} to ${MAX_SECTIONS}`,
    });
  }
  checkUnusedSlots(bytes, count);
  return {
    architecture: bytes.readUInt16BE(HEADER_OFFSET.flags) === FLAG_AARCH64 ? 'aarch64' : 'x86_64',
    defaultMemBytes: bytes.readBigUInt64BE(HEADER_OFFSET.defaultMem),
    defaultCpus: bytes.readBigUInt64BE(HEADER_OFFSET.defaultCpus),
    sections: parseSpans(bytes, count, fileSize),
    crc32: bytes.readUInt32BE(HEADER_OFFSET.crc32),
  };
}

function offsetSlot(index: number): number {
  return HEADER_OFFSET.sectionOffsets + 8 * index;
}

function sizeSlot(index: number): number {
  return HEADER_OFFSET.sectionSizes + 8 * index;
}

function checkIdentity(bytes: Buffer): void {
  if (bytes.readUInt32BE(HEADER_OFFSET.magic) !== EIF_MAGIC) {
    throw new EifError('EIF_MAGIC', 'not an enclave image', {
      offset: HEADER_OFFSET.magic,
      found: bytes.toString('hex', 0, 4),
      allowed: '2e656966',
    });
  }
  const version = bytes.readUInt16BE(HEADER_OFFSET.version);
  if (version !== EIF_VERSION) {
    throw new EifError('EIF_VERSION', 'unsupported image version', {
      offset: HEADER_OFFSET.version,
      found: String(version),
      allowed: String(EIF_VERSION),
    });
  }
  const flags = bytes.readUInt16BE(HEADER_OFFSET.flags);
  if ((flags & ~FLAG_AARCH64) !== 0) {
    throw new EifError('EIF_FLAGS', 'unknown flags', {
      offset: HEADER_OFFSET.flags,
      found: `0x${flags.toString(16)}`,
      allowed: '0x0 (x86_64) or 0x1 (aarch64)',
    });
  }
  checkZero(BigInt(bytes.readUInt16BE(HEADER_OFFSET.reserved)), 'reserved field', HEADER_OFFSET.reserved);
  checkZero(BigInt(bytes.readUInt32BE(HEADER_OFFSET.unused)), 'unused field', HEADER_OFFSET.unused);
}

function checkUnusedSlots(bytes: Buffer, count: number): void {
  for (let index = count; index < MAX_SECTIONS; index++) {
    checkZero(bytes.readBigUInt64BE(offsetSlot(index)), `unused offset slot ${index}`, offsetSlot(index));
    checkZero(bytes.readBigUInt64BE(sizeSlot(index)), `unused size slot ${index}`, sizeSlot(index));
  }
}

function checkZero(value: bigint, what: string, offset: number): void {
  if (value !== 0n)
    throw new EifError('EIF_RESERVED', `${what} is not zero`, { offset, found: String(value), allowed: '0' });
}

/** Adjacency leaves one right place for each section, so every wrong one has a name: overlap, gap or beyond the end. */
function parseSpans(bytes: Buffer, count: number, fileSize: number): SectionSpan[] {
  const end = BigInt(fileSize);
  const spans: SectionSpan[] = [];
  let expected = BigInt(HEADER_BYTES);
  for (let index = 0; index < count; index++) {
    const offset = bytes.readBigUInt64BE(offsetSlot(index));
    const size = bytes.readBigUInt64BE(sizeSlot(index));
    checkPlace(index, offset, expected, end);
    expected = offset + BigInt(SECTION_HEADER_BYTES) + size;
    if (expected > end) {
      throw new EifError('EIF_TRUNCATED', `section ${index} reaches beyond the end of the file`, {
        offset: sizeSlot(index),
        found: `${size} bytes of data from byte ${offset + BigInt(SECTION_HEADER_BYTES)}`,
        allowed: `an end at byte ${fileSize} at most`,
      });
    }
    spans.push({ offset: Number(offset), size: Number(size) });
  }
  if (expected < end) {
    throw new EifError('EIF_TRAILING_BYTES', 'bytes after the last section', {
      offset: Number(expected),
      found: `${end - expected} bytes`,
      allowed: 'none',
    });
  }
  return spans;
}

function checkPlace(index: number, offset: bigint, expected: bigint, end: bigint): void {
  if (offset === expected) return;
  const details = { offset: offsetSlot(index), found: String(offset), allowed: String(expected) };
  if (offset < expected)
    throw new EifError('EIF_SECTION_OVERLAP', `section ${index} overlaps what precedes it`, details);
  if (offset > end) throw new EifError('EIF_TRUNCATED', `section ${index} starts beyond the end of the file`, details);
  throw new EifError('EIF_SECTION_GAP', `gap before section ${index}`, details);
}
