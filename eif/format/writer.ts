/**
 * Writes an enclave image in one pass over its inputs: data streams to the file while checksum and measurements are made,
 * and headers are filled in when sizes are known. The order of sections is AWS's. Specification: nitro-formats 3.1, 3.2.
 */
import { EifError } from '../errors.ts';
import { type ImageMeasurements, ImageMeasurer } from '../measure.ts';
import { type OutputFile, writeOutputFile } from '../output-file.ts';
import {
  DEFAULT_CPUS,
  DEFAULT_MEM_BYTES,
  HEADER_BYTES,
  HEADER_OFFSET,
  MAX_SECTIONS,
  SECTION_HEADER_BYTES,
} from './constants.ts';
import { crc32, joinCrc32 } from './crc32.ts';
import { type Architecture, encodeHeader } from './header.ts';
import { checkCmdline, checkSectionSize, type EifSection, encodeSectionHeader, type SectionKind } from './section.ts';

/** Bytes in pieces. A piece must stay unchanged until the next one is asked for. */
export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

export interface EifContent {
  readonly architecture: Architecture;
  /** Not used by anything; 1 GiB unless given. */
  readonly defaultMemBytes?: bigint;
  /** Not used by anything; 2 unless given. */
  readonly defaultCpus?: bigint;
  readonly kernel: ByteSource;
  /** Without NUL; at most 2048 bytes. */
  readonly cmdline: Uint8Array;
  /** JSON text; see encodeMetadata. */
  readonly metadata: Uint8Array;
  /** The first is measured in PCR1, the others in PCR2. */
  readonly ramdisks: readonly ByteSource[];
  /** Makes the signature section (see encodeSignatureSection) when PCR0 is known; absent for an unsigned image. */
  readonly sign?: (pcr0: Buffer) => Buffer;
}

export interface WrittenEif {
  /** Bytes. */
  readonly fileSize: number;
  readonly crc32: number;
  readonly sections: readonly EifSection[];
  readonly measurements: ImageMeasurements;
}

/**
 * Writes the image to `path`, replacing a file that is there; when anything fails, `path` stays as it was.
 * @throws EifError EIF_CMDLINE_INVALID, EIF_SECTION_TOO_LARGE, EIF_SECTION_COUNT, EIF_FILE_WRITE, and what the sources throw
 */
export async function writeEif(path: string, content: EifContent, signal?: AbortSignal): Promise<WrittenEif> {
  checkCmdline(content.cmdline);
  const count = 3 + content.ramdisks.length + (content.sign === undefined ? 0 : 1);
  if (count > MAX_SECTIONS) {
    throw new EifError('EIF_SECTION_COUNT', 'too many ramdisks', {
      found: `${count} sections`,
      allowed: `${MAX_SECTIONS} sections`,
    });
  }
  return writeOutputFile(path, async (file) => {
    const writer = new SectionWriter(file, signal);
    await writer.add('kernel', content.kernel);
    await writer.add('cmdline', [content.cmdline]);
    await writer.add('metadata', [content.metadata]);
    for (const ramdisk of content.ramdisks) await writer.add('ramdisk', ramdisk);
    const measurements = writer.measurer.measurements();
    if (content.sign !== undefined) await writer.add('signature', [content.sign(measurements.pcr0)]);
    return { ...(await writer.finish(content)), measurements };
  });
}

class SectionWriter {
  readonly #file: OutputFile;
  readonly #signal: AbortSignal | undefined;
  readonly #sections: EifSection[] = [];
  readonly measurer = new ImageMeasurer();
  #end = HEADER_BYTES;
  /** CRC of everything after the image header. */
  #bodyCrc = 0;

  constructor(file: OutputFile, signal: AbortSignal | undefined) {
    this.#file = file;
    this.#signal = signal;
  }

  async add(kind: SectionKind, source: ByteSource): Promise<void> {
    const headerOffset = this.#end;
    const dataOffset = headerOffset + SECTION_HEADER_BYTES;
    let size = 0;
    let dataCrc = 0;
    this.measurer.begin(kind);
    for await (const chunk of source) {
      this.#signal?.throwIfAborted();
      const writing = this.#file.write(chunk, dataOffset + size);
      dataCrc = crc32(chunk, dataCrc);
      this.measurer.update(chunk);
      size += chunk.length;
      await writing;
    }
    checkSectionSize(kind, size);
    const header = encodeSectionHeader(kind, size);
    await this.#file.write(header, headerOffset);
    this.#bodyCrc = joinCrc32(crc32(header, this.#bodyCrc), dataCrc, size);
    this.#end = dataOffset + size;
    this.#sections.push({ kind, headerOffset, dataOffset, size });
  }

  async finish(content: EifContent): Promise<Omit<WrittenEif, 'measurements'>> {
    const header = encodeHeader({
      architecture: content.architecture,
      defaultMemBytes: content.defaultMemBytes ?? DEFAULT_MEM_BYTES,
      defaultCpus: content.defaultCpus ?? DEFAULT_CPUS,
      sections: this.#sections.map(({ headerOffset, size }) => ({ offset: headerOffset, size })),
      crc32: 0,
    });
    const crc = joinCrc32(crc32(header.subarray(0, HEADER_OFFSET.crc32)), this.#bodyCrc, this.#end - HEADER_BYTES);
    header.writeUInt32BE(crc, HEADER_OFFSET.crc32);
    await this.#file.write(header, 0);
    return { fileSize: this.#end, crc32: crc, sections: this.#sections };
  }
}
