/**
 * What our images say of themselves in CustomMetadata, for who has nothing but the image: the parent's doctor. It is in no PCR,
 * so nothing may depend on it but advice.
 */
import { z } from 'zod';
import { appPortsSchema } from '../wire/app-ports.ts';
import { certificateEndSchema } from '../wire/certificate-end.ts';
import { HEADER_BYTES, SECTION_HEADER_BYTES } from './format/constants.ts';
import { parseHeader } from './format/header.ts';
import type { EifMetadata } from './format/metadata.ts';
import { parseMetadata } from './format/metadata.ts';
import { checkSectionSize, parseSectionHeader } from './format/section.ts';

const KEY = 'acra-enclave';
const MAX_ENDS = 16;

const imageFacts = z.object({
  /** Of the root file system, in whole pages. */
  unpackedBytes: z.int().min(0),
  certificateEnds: z.array(certificateEndSchema).max(MAX_ENDS),
  /** Of an image without Acra: the vsock ports of its application. */
  app: appPortsSchema.optional(),
});
export type ImageFacts = z.output<typeof imageFacts>;

export function factsMetadata({ unpackedBytes, certificateEnds, app }: ImageFacts): Readonly<Record<string, unknown>> {
  return { [KEY]: { unpackedBytes, certificateEnds, ...(app === undefined ? {} : { app }) } };
}

/** Gives `bytes` bytes of the image from `offset` on. */
export type ReadRange = (offset: number, bytes: number) => Buffer | undefined;

function readMetadata(read: ReadRange, fileSize: number): EifMetadata | undefined {
  try {
    const header = parseHeader(read(0, HEADER_BYTES) ?? Buffer.alloc(0), fileSize);
    for (const { offset, size } of header.sections) {
      const section = parseSectionHeader(read(offset, SECTION_HEADER_BYTES) ?? Buffer.alloc(0), offset);
      if (section.kind !== 'metadata') continue;
      checkSectionSize('metadata', size);
      return parseMetadata(read(offset + SECTION_HEADER_BYTES, size) ?? Buffer.alloc(0), offset);
    }
  } catch {
    // `eif verify` tells what is wrong with it.
  }
  return undefined;
}

/** Undefined for an image that does not say, or whose beginning cannot be read. */
export function readImageFacts(read: ReadRange, fileSize: number): ImageFacts | undefined {
  return imageFacts.safeParse(readMetadata(read, fileSize)?.CustomMetadata?.[KEY]).data;
}

/** The version of its kernel, as the tool that built it wrote it down; any tool's. */
export function readImageKernel(read: ReadRange, fileSize: number): string | undefined {
  return readMetadata(read, fileSize)?.BuildMetadata.KernelVersion;
}
