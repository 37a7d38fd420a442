/** One wrong field at a time: each has its code and is found at its byte. The checksum is right, so structure alone tells. */
import { execFileSync } from 'node:child_process';
import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { EifError, type EifErrorCode } from '../../../eif/errors.ts';
import { readEif } from '../../../eif/format/reader.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { repairCrc, TOY, writeBytes, writeImage } from '../support/images.ts';
import { vector } from '../support/vectors.ts';

/** Of the toy image. */
const END = 664;
const SECTION = { kernel: 548, cmdline: 566, metadata: 595, ramdisk0: 624, ramdisk1: 644 };
const OFFSETS = 0x1c;
const SIZES = 0x11c;

const u16 = (offset: number, value: number) => (image: Buffer) => {
  image.writeUInt16BE(value, offset);
  return image;
};
const u64 = (offset: number, value: bigint) => (image: Buffer) => {
  image.writeBigUInt64BE(value, offset);
  return image;
};
const both = (first: (image: Buffer) => Buffer, second: (image: Buffer) => Buffer) => (image: Buffer) =>
  second(first(image));

interface Defect {
  readonly what: string;
  readonly code: EifErrorCode;
  readonly offset: number | undefined;
  readonly damage: (image: Buffer) => Buffer;
}

const DEFECTS: readonly Defect[] = [
  { what: 'another magic', code: 'EIF_MAGIC', offset: 0, damage: u16(0, 0x2e66) },
  { what: 'version 3', code: 'EIF_VERSION', offset: 4, damage: u16(4, 3) },
  { what: 'version 5', code: 'EIF_VERSION', offset: 4, damage: u16(4, 5) },
  { what: 'an unknown flag', code: 'EIF_FLAGS', offset: 6, damage: u16(6, 2) },
  { what: 'a reserved field', code: 'EIF_RESERVED', offset: 0x18, damage: u16(0x18, 1) },
  { what: 'the unused field', code: 'EIF_RESERVED', offset: 0x21c, damage: u16(0x21e, 1) },
  { what: 'an offset in an unused slot', code: 'EIF_RESERVED', offset: OFFSETS + 40, damage: u64(OFFSETS + 40, 1n) },
  { what: 'a size in the last slot', code: 'EIF_RESERVED', offset: SIZES + 248, damage: u64(SIZES + 248, 1n) },
  { what: '1 section', code: 'EIF_SECTION_COUNT', offset: 0x1a, damage: u16(0x1a, 1) },
  { what: '33 sections', code: 'EIF_SECTION_COUNT', offset: 0x1a, damage: u16(0x1a, 33) },
  {
    what: 'a first section inside the header',
    code: 'EIF_SECTION_OVERLAP',
    offset: OFFSETS,
    damage: u64(OFFSETS, 547n),
  },
  {
    what: 'two sections at one place',
    code: 'EIF_SECTION_OVERLAP',
    offset: OFFSETS + 8,
    damage: u64(OFFSETS + 8, 548n),
  },
  { what: 'a gap between sections', code: 'EIF_SECTION_GAP', offset: OFFSETS + 8, damage: u64(OFFSETS + 8, 567n) },
  { what: 'a section beyond the end', code: 'EIF_TRUNCATED', offset: OFFSETS + 8, damage: u64(OFFSETS + 8, 665n) },
  { what: 'an offset of 2^64-1', code: 'EIF_TRUNCATED', offset: OFFSETS + 8, damage: u64(OFFSETS + 8, 2n ** 64n - 1n) },
  { what: 'a size of 2^64-1', code: 'EIF_TRUNCATED', offset: SIZES, damage: u64(SIZES, 2n ** 64n - 1n) },
  { what: 'a last section that is too long', code: 'EIF_TRUNCATED', offset: SIZES + 32, damage: u64(SIZES + 32, 9n) },
  { what: 'a last section that is too short', code: 'EIF_TRAILING_BYTES', offset: 663, damage: u64(SIZES + 32, 7n) },
  {
    what: 'a byte after the last section',
    code: 'EIF_TRAILING_BYTES',
    offset: END,
    damage: (image) => Buffer.concat([image, Buffer.alloc(1)]),
  },
  {
    what: 'a section that disagrees with the header on its size',
    code: 'EIF_SECTION_SIZE',
    offset: SECTION.kernel + 4,
    damage: u64(SECTION.kernel + 4, 7n),
  },
  { what: 'section type 0', code: 'EIF_SECTION_TYPE', offset: SECTION.metadata, damage: u16(SECTION.metadata, 0) },
  { what: 'section type 6', code: 'EIF_SECTION_TYPE', offset: SECTION.metadata, damage: u16(SECTION.metadata, 6) },
  {
    what: 'section flags',
    code: 'EIF_SECTION_FLAGS',
    offset: SECTION.cmdline + 2,
    damage: u16(SECTION.cmdline + 2, 1),
  },
  { what: 'two kernels', code: 'EIF_SECTION_DUPLICATE', offset: SECTION.cmdline, damage: u16(SECTION.cmdline, 1) },
  {
    what: 'two command lines',
    code: 'EIF_SECTION_DUPLICATE',
    offset: SECTION.metadata,
    damage: u16(SECTION.metadata, 2),
  },
  {
    what: 'two signatures',
    code: 'EIF_SECTION_DUPLICATE',
    offset: SECTION.ramdisk1,
    damage: both(u16(SECTION.ramdisk0, 4), u16(SECTION.ramdisk1, 4)),
  },
  {
    what: 'a command line before the kernel',
    code: 'EIF_SECTION_ORDER',
    offset: SECTION.cmdline,
    damage: both(u16(SECTION.kernel, 2), u16(SECTION.cmdline, 1)),
  },
  {
    what: 'metadata after a ramdisk',
    code: 'EIF_SECTION_ORDER',
    offset: SECTION.ramdisk0,
    damage: both(u16(SECTION.metadata, 3), u16(SECTION.ramdisk0, 5)),
  },
  {
    what: 'a ramdisk after the signature',
    code: 'EIF_SECTION_ORDER',
    offset: SECTION.ramdisk1,
    damage: u16(SECTION.ramdisk0, 4),
  },
  { what: 'no kernel', code: 'EIF_SECTION_MISSING', offset: undefined, damage: shiftTypes([2, 5, 3, 3, 3]) },
  { what: 'no command line', code: 'EIF_SECTION_MISSING', offset: undefined, damage: shiftTypes([1, 5, 3, 3, 3]) },
  { what: 'no metadata', code: 'EIF_SECTION_MISSING', offset: undefined, damage: u16(SECTION.metadata, 3) },
  {
    what: 'a NUL byte in the command line',
    code: 'EIF_CMDLINE_INVALID',
    offset: SECTION.cmdline + 12 + 16,
    damage: u16(SECTION.cmdline + 12 + 15, 0x3300),
  },
];

function shiftTypes(types: readonly number[]): (image: Buffer) => Buffer {
  return (image) => {
    for (const [index, offset] of Object.values(SECTION).entries()) image.writeUInt16BE(types[index]!, offset);
    return image;
  };
}

for (const { what, code, offset, damage } of DEFECTS) {
  t.test(`rejects ${what} (${code})`, async (t) => {
    const image = damage(readFileSync(await writeImage(t)));
    const error = await rejectsCode(() => readEif(writeBytes(t, repairCrc(image))), EifError, code);
    t.equal(error.offset, offset);
  });
}

t.test('rejects a wrong checksum (EIF_CRC)', async (t) => {
  const image = readFileSync(await writeImage(t));
  image.writeUInt8(image.readUInt8(END - 1) ^ 0x01, END - 1);
  const error = await rejectsCode(() => readEif(writeBytes(t, image)), EifError, 'EIF_CRC');
  t.equal(error.offset, 0x220);
  t.equal(error.found, 'f7a4a4cb');
});

t.test('rejects an image that is cut off (EIF_TRUNCATED)', async (t) => {
  for (const length of [0, 1, 547, 548, 559, 600, END - 1]) {
    const path = await writeImage(t);
    truncateSync(path, length);
    await rejectsCode(() => readEif(path), EifError, 'EIF_TRUNCATED');
  }
});

t.test('rejects a 4 GiB size in a file of 1 KiB before it reads any data (EIF_TRUNCATED)', async (t) => {
  const image = Buffer.alloc(1024);
  readFileSync(await writeImage(t)).copy(image);
  image.writeBigUInt64BE(4_294_967_296n, SIZES);
  image.writeBigUInt64BE(4_294_967_296n, SECTION.kernel + 4);
  const path = writeBytes(t, repairCrc(image));
  const before = process.memoryUsage();
  const error = await rejectsCode(() => readEif(path), EifError, 'EIF_TRUNCATED');
  const after = process.memoryUsage();
  t.equal(error.offset, SIZES);
  t.ok(after.arrayBuffers - before.arrayBuffers < 65_536, 'allocates nothing by the size');
});

t.test('rejects small sections over their limits (EIF_SECTION_TOO_LARGE)', async (t) => {
  for (const [type, limit] of [
    [2, 2048],
    [5, 1_048_576],
    [4, 32_768],
  ] as const) {
    const path = writeBytes(t, imageWithBigSection(type, limit + 1));
    const error = await rejectsCode(() => readEif(path), EifError, 'EIF_SECTION_TOO_LARGE');
    t.equal(error.allowed, `at most ${limit} bytes`);
    const accepted = type === 4 ? 'EIF_SECTION_MISSING' : 'EIF_SECTION_ORDER';
    await rejectsCode(() => readEif(writeBytes(t, imageWithBigSection(type, limit))), EifError, accepted);
  }
});

/** Two sections: one of this type and size first; a kernel or, after a signature, nothing that belongs there. */
function imageWithBigSection(type: number, size: number): Buffer {
  const image = Buffer.alloc(548 + 12 + 12 + size);
  image.write('.eif');
  image.writeUInt16BE(4, 4);
  image.writeUInt16BE(2, 0x1a);
  const first = type === 4 ? 1 : type;
  const sizes = type === 4 ? [0, size] : [size, 0];
  let offset = 548;
  [first, type === 4 ? 4 : 1].forEach((kind, index) => {
    image.writeBigUInt64BE(BigInt(offset), OFFSETS + 8 * index);
    image.writeBigUInt64BE(BigInt(sizes[index]!), SIZES + 8 * index);
    image.writeUInt16BE(kind, offset);
    image.writeBigUInt64BE(BigInt(sizes[index]!), offset + 4);
    offset += 12 + sizes[index]!;
  });
  return repairCrc(image);
}

t.test('rejects what is no regular file (EIF_FILE_READ)', async (t) => {
  await rejectsCode(() => readEif('/dev/zero'), EifError, 'EIF_FILE_READ');
  await rejectsCode(() => readEif(temporaryFolder(t)), EifError, 'EIF_FILE_READ');
  const pipe = join(temporaryFolder(t), 'pipe');
  execFileSync('mkfifo', [pipe]);
  await rejectsCode(() => readEif(pipe), EifError, 'EIF_FILE_READ');
  const error = await rejectsCode(() => readEif('/nonexistent/image.eif'), EifError, 'EIF_FILE_READ');
  t.match(error.cause, { code: 'ENOENT' });
});

t.test('keeps to the signal of its caller', async (t) => {
  const path = await writeImage(t, TOY);
  await t.rejects(readEif(path, AbortSignal.abort(new Error('enough'))), { message: 'enough' });
});

t.test('rejects an image whose signature AWS replaced without its size (EIF_TRUNCATED)', async () => {
  await rejectsCode(() => readEif(vector('aws-signed-twice.eif')), EifError, 'EIF_TRUNCATED');
});
