/**
 * The "newc" form of cpio that the kernel unpacks ramdisks from: a header of 110 characters, name and data each padded to 4
 * bytes. Specification: Linux Documentation/driver-api/early-userspace/buffer-format.rst; nitro-formats 3.3.
 */
import { CpioError } from '../errors.ts';

const CPIO_MAGIC = '070701';
export const HEADER_BYTES = 110;
export const TRAILER_NAME = 'TRAILER!!!';
/** PATH_MAX of Linux, with the NUL. */
export const MAX_NAME_BYTES = 4096;
export const MAX_FIELD = 0xffff_ffff;

/** File types in the upper bits of the mode (inode(7)). */
export const FILE_TYPE = {
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
} as const;
export const FILE_TYPE_MASK = 0o170000;
export const PERMISSION_MASK = 0o7777;

/** The header's fields in file order; each is 8 hexadecimal digits after the magic. */
const FIELDS = [
  'inode',
  'mode',
  'uid',
  'gid',
  'links',
  'mtimeS',
  'size',
  'deviceMajor',
  'deviceMinor',
  'nodeMajor',
  'nodeMinor',
  'nameBytes',
  'check',
] as const;
type Field = (typeof FIELDS)[number];
const FIELD_BYTES = 8;

/** All 32 bits wide. `nodeMajor` and `nodeMinor` are the numbers of a device node; `nameBytes` counts the NUL. */
export type CpioHeader = Readonly<Record<Field, number>>;

/** How many zero bytes bring `length` to a multiple of `block`. */
export function paddingTo(block: number, length: number): number {
  return (block - (length % block)) % block;
}

/** Header, name, NUL and padding. @throws CpioError CPIO_NUMBER_RANGE */
export function encodeEntry(name: string, header: Omit<CpioHeader, 'nameBytes' | 'check'>): Buffer {
  const nameBytes = Buffer.byteLength(name) + 1;
  const complete: CpioHeader = { ...header, nameBytes, check: 0 };
  const digits = FIELDS.map((field) => {
    const value = complete[field];
    if (Number.isInteger(value) && value >= 0 && value <= MAX_FIELD)
      return value.toString(16).padStart(FIELD_BYTES, '0');
    throw new CpioError('CPIO_NUMBER_RANGE', `${field} of ${name} is out of range`, {
      found: String(value),
      allowed: `an integer from 0 to ${MAX_FIELD}`,
    });
  });
  const text = Buffer.from(`${CPIO_MAGIC}${digits.join('')}${name}\0`);
  return Buffer.concat([text, Buffer.alloc(paddingTo(4, text.length))]);
}

/**
 * @param bytes 110 bytes
 * @param offset where they lie in the archive, for errors
 * @throws CpioError CPIO_MAGIC, CPIO_FIELD
 */
export function parseHeader(bytes: Buffer, offset: number): CpioHeader {
  const text = bytes.toString('latin1');
  const magic = text.slice(0, CPIO_MAGIC.length);
  if (magic !== CPIO_MAGIC) {
    throw new CpioError('CPIO_MAGIC', 'not a newc entry', {
      offset,
      found: JSON.stringify(magic),
      allowed: CPIO_MAGIC,
    });
  }
  const values = FIELDS.map((field, index): [Field, number] => {
    const start = CPIO_MAGIC.length + FIELD_BYTES * index;
    return [field, parseField(field, text.slice(start, start + FIELD_BYTES), offset + start)];
  });
  return Object.fromEntries(values) as CpioHeader;
}

function parseField(field: Field, digits: string, offset: number): number {
  if (!/^[0-9A-Fa-f]{8}$/.test(digits)) {
    throw new CpioError('CPIO_FIELD', `${field} is not hexadecimal`, { offset, found: JSON.stringify(digits) });
  }
  const value = Number.parseInt(digits, 16);
  if (field === 'check' && value !== 0) {
    throw new CpioError('CPIO_FIELD', 'check is not zero', { offset, found: digits, allowed: '00000000' });
  }
  if (field === 'nameBytes' && (value < 2 || value > MAX_NAME_BYTES)) {
    throw new CpioError('CPIO_FIELD', 'length of the name is out of range', {
      offset,
      found: String(value),
      allowed: `2 to ${MAX_NAME_BYTES}`,
    });
  }
  return value;
}
