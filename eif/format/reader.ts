/**
 * Strict streaming reader of enclave images. The structure is settled first, from the image header and the section headers
 * alone; then the data streams by once, for checksum and measurements. Nothing is allocated by a length that has not been
 * checked against the size of the file and the section's own limit. Specification: nitro-formats 3.1, 3.2.
 */
import { EifError } from '../errors.ts';
import { type InputFile, readChunks, readRange, withInputFile } from '../input-file.ts';
import { type ImageMeasurements, ImageMeasurer } from '../measure.ts';
import { HEADER_BYTES, HEADER_OFFSET, SECTION_HEADER_BYTES } from './constants.ts';
import { crc32 } from './crc32.ts';
import { type EifHeader, parseHeader, type SectionSpan } from './header.ts';
import {
  checkCmdline,
  checkSectionOrder,
  checkSectionSize,
  type EifSection,
  parseSectionHeader,
  type SectionKind,
} from './section.ts';

export interface EifImage {
  readonly path: string;
  /** Bytes. */
  readonly fileSize: number;
  readonly header: EifHeader;
  /** In file order. */
  readonly sections: readonly EifSection[];
  readonly cmdline: Buffer;
  /** JSON text; see parseMetadata. */
  readonly metadata: Buffer;
  /** CBOR; see parseSignatureSection. Undefined when the image is unsigned. */
  readonly signature: Buffer | undefined;
  readonly measurements: ImageMeasurements;
}

interface SmallSections {
  cmdline: Buffer;
  metadata: Buffer;
  signature: Buffer | undefined;
}

/**
 * Reads and checks a whole image.
 * @throws EifError EIF_FILE_READ, and every code that names a defect of the format; see docs/formats/eif.md
 */
export async function readEif(path: string, signal?: AbortSignal): Promise<EifImage> {
  return withInputFile(path, async (file) => {
    const headerBytes = await readExactly(file, 0, HEADER_BYTES);
    const header = parseHeader(headerBytes, file.size);
    const sections = await readSections(file, header.sections);
    const small: SmallSections = { cmdline: Buffer.alloc(0), metadata: Buffer.alloc(0), signature: undefined };
    const measurer = new ImageMeasurer();
    let crc = crc32(headerBytes.subarray(0, HEADER_OFFSET.crc32));
    for (const section of sections) {
      crc = crc32(await readExactly(file, section.headerOffset, SECTION_HEADER_BYTES), crc);
      measurer.begin(section.kind);
      for await (const chunk of sectionData(file, section)) {
        signal?.throwIfAborted();
        crc = crc32(chunk, crc);
        measurer.update(chunk);
        if (isSmall(section.kind)) small[section.kind] = chunk;
      }
    }
    checkCmdline(small.cmdline, sections[1]?.dataOffset);
    checkCrc(header.crc32, crc);
    return { path, fileSize: file.size, header, sections, ...small, measurements: measurer.measurements() };
  });
}

/**
 * The data of one section, for a second look at an image that was read before. A kernel or ramdisk comes in pieces, each
 * valid until the next; any other section comes in one.
 * @throws EifError EIF_TRUNCATED, EIF_FILE_READ
 */
export async function* sectionData(file: InputFile, section: EifSection): AsyncGenerator<Buffer, void> {
  if (isSmall(section.kind)) {
    yield await readExactly(file, section.dataOffset, section.size);
    return;
  }
  let seen = 0;
  for await (const chunk of readChunks(file, section.dataOffset, section.size)) {
    seen += chunk.length;
    yield chunk;
  }
  if (seen < section.size) throw truncated(section.dataOffset + seen);
}

function isSmall(kind: SectionKind): kind is keyof SmallSections {
  return kind !== 'kernel' && kind !== 'ramdisk';
}

/** All section headers, checked against the image header, before any data is read. */
async function readSections(file: InputFile, spans: readonly SectionSpan[]): Promise<EifSection[]> {
  const sections: EifSection[] = [];
  for (const { offset, size } of spans) {
    const header = parseSectionHeader(await readExactly(file, offset, SECTION_HEADER_BYTES), offset);
    if (header.size !== BigInt(size)) {
      throw new EifError('EIF_SECTION_SIZE', 'section header and image header differ on a size', {
        offset: offset + 4,
        found: String(header.size),
        allowed: `${size}, as in the image header`,
      });
    }
    checkSectionSize(header.kind, size, offset + 4);
    sections.push({ kind: header.kind, headerOffset: offset, dataOffset: offset + SECTION_HEADER_BYTES, size });
  }
  checkSectionOrder(sections);
  return sections;
}

async function readExactly(file: InputFile, start: number, length: number): Promise<Buffer> {
  const bytes = await readRange(file, start, length);
  if (bytes.length < length) throw truncated(start + bytes.length);
  return bytes;
}

function truncated(offset: number): EifError {
  return new EifError('EIF_TRUNCATED', 'the file ends early', { offset });
}

function checkCrc(stored: number, computed: number): void {
  if (stored === computed) return;
  const hex = (value: number): string => value.toString(16).padStart(8, '0');
  throw new EifError('EIF_CRC', 'the checksum does not match', {
    offset: HEADER_OFFSET.crc32,
    found: hex(stored),
    allowed: hex(computed),
  });
}
