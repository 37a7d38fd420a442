/**
 * Section headers (12 bytes before the data of each section) and the order that sections come in.
 * Specification: nitro-formats 3.1, "Section header" and "Order written by the AWS builder".
 */
import { EifError } from '../errors.ts';
import { MAX_CMDLINE_BYTES, MAX_METADATA_BYTES, MAX_SIGNATURE_BYTES, SECTION_HEADER_BYTES } from './constants.ts';

/** Type numbers in the file. 0 is "invalid"; 6 and above are not defined. */
export const SECTION_TYPE = { kernel: 1, cmdline: 2, ramdisk: 3, signature: 4, metadata: 5 } as const;
export type SectionKind = keyof typeof SECTION_TYPE;

const KIND_OF_TYPE: ReadonlyMap<number, SectionKind> = new Map([
  [SECTION_TYPE.kernel, 'kernel'],
  [SECTION_TYPE.cmdline, 'cmdline'],
  [SECTION_TYPE.ramdisk, 'ramdisk'],
  [SECTION_TYPE.signature, 'signature'],
  [SECTION_TYPE.metadata, 'metadata'],
]);

/** The one order that AWS's builder writes; ramdisks repeat, the signature may be absent. */
const ORDER: readonly SectionKind[] = ['kernel', 'cmdline', 'metadata', 'ramdisk', 'signature'];
const MANDATORY: readonly SectionKind[] = ['kernel', 'cmdline', 'metadata'];

/** Sections that are held in memory have a bound; kernels and ramdisks are streamed. */
const MAX_BYTES: Readonly<Record<SectionKind, number>> = {
  kernel: Number.POSITIVE_INFINITY,
  cmdline: MAX_CMDLINE_BYTES,
  metadata: MAX_METADATA_BYTES,
  ramdisk: Number.POSITIVE_INFINITY,
  signature: MAX_SIGNATURE_BYTES,
};

interface SectionHeader {
  readonly kind: SectionKind;
  /** Bytes of data, without this header. */
  readonly size: bigint;
}

/** A section as it lies in the file. */
export interface EifSection {
  readonly kind: SectionKind;
  readonly headerOffset: number;
  readonly dataOffset: number;
  readonly size: number;
}

export function encodeSectionHeader(kind: SectionKind, size: number): Buffer {
  const bytes = Buffer.alloc(SECTION_HEADER_BYTES);
  bytes.writeUInt16BE(SECTION_TYPE[kind], 0);
  bytes.writeBigUInt64BE(BigInt(size), 4);
  return bytes;
}

/**
 * @param offset where the header lies in the file, for errors
 * @throws EifError EIF_SECTION_TYPE, EIF_SECTION_FLAGS
 */
export function parseSectionHeader(bytes: Buffer, offset: number): SectionHeader {
  const type = bytes.readUInt16BE(0);
  const kind = KIND_OF_TYPE.get(type);
  if (kind === undefined) {
    throw new EifError('EIF_SECTION_TYPE', 'unknown section type', { offset, found: String(type), allowed: '1 to 5' });
  }
  const flags = bytes.readUInt16BE(2);
  if (flags !== 0) {
    throw new EifError('EIF_SECTION_FLAGS', 'section has flags', {
      offset: offset + 2,
      found: String(flags),
      allowed: '0',
    });
  }
  return { kind, size: bytes.readBigUInt64BE(4) };
}

/** @throws EifError EIF_SECTION_TOO_LARGE */
export function checkSectionSize(kind: SectionKind, size: number, offset?: number): void {
  if (size <= MAX_BYTES[kind]) return;
  throw new EifError('EIF_SECTION_TOO_LARGE', `${kind} section is too large`, {
    ...(offset === undefined ? {} : { offset }),
    found: `${size} bytes`,
    allowed: `at most ${MAX_BYTES[kind]} bytes`,
  });
}

/** @throws EifError EIF_SECTION_DUPLICATE, EIF_SECTION_ORDER, EIF_SECTION_MISSING */
export function checkSectionOrder(sections: readonly EifSection[]): void {
  const seen = new Set<SectionKind>();
  let rank = 0;
  for (const { kind, headerOffset: offset } of sections) {
    if (kind !== 'ramdisk' && seen.has(kind)) {
      throw new EifError('EIF_SECTION_DUPLICATE', `second ${kind} section`, { offset, allowed: 'one' });
    }
    const own = ORDER.indexOf(kind);
    if (own < rank) {
      throw new EifError('EIF_SECTION_ORDER', `${kind} section is out of order`, { offset, allowed: ORDER.join(', ') });
    }
    seen.add(kind);
    rank = own;
  }
  const missing = MANDATORY.find((kind) => !seen.has(kind));
  if (missing !== undefined) throw new EifError('EIF_SECTION_MISSING', `image has no ${missing} section`);
}

/** @throws EifError EIF_CMDLINE_INVALID */
export function checkCmdline(bytes: Uint8Array, sectionOffset = 0): void {
  const nul = bytes.indexOf(0);
  if (nul !== -1) {
    throw new EifError('EIF_CMDLINE_INVALID', 'command line has a NUL byte', { offset: sectionOffset + nul });
  }
}
