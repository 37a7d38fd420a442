/**
 * A program without what no loader reads: symbol tables, debug information and the section headers that find them. They come
 * after the last segment and would take a fifth of the image and of the enclave's memory; what runs is unchanged. The program
 * is read once: what goes into the image and the digest of the whole come from the same bytes.
 * Specification: ELF gABI, chapters 4 (e_shoff, e_shnum, e_shstrndx) and 5 (segments are all that a process is made of).
 */
import { tapDigest } from '../bom/digest-tap.ts';
import type { SizedPieces } from '../cpio/manifest.ts';
import { readFilePieces } from '../input-file.ts';
import { readElf } from './elf.ts';

const SECTION_TABLE_OFFSET = 0x28;
const SECTION_COUNT = 0x3c;
const NAME_SECTION = 0x3e;
const HEADER_BYTES = 64;

export interface LoadedPart {
  readonly source: SizedPieces;
  /** Of the whole original, as hex; settles when `source` has been read. */
  readonly originalSha256: Promise<string>;
}

/** @throws EifBuildError EIF_BUILD_ELF; EifError EIF_FILE_READ, also when the pieces are read */
export async function loadedPart(path: string): Promise<LoadedPart> {
  const { loadedBytes } = await readElf(path);
  const original = tapDigest(readFilePieces(path));
  return {
    source: { size: loadedBytes, pieces: firstBytes(original.pieces, loadedBytes) },
    originalSha256: original.sha256,
  };
}

async function* firstBytes(original: AsyncIterable<Buffer>, loadedBytes: number): AsyncGenerator<Buffer, void> {
  let position = 0;
  for await (const piece of original) {
    const loaded = piece.subarray(0, Math.max(0, loadedBytes - position));
    if (position === 0) forgetSections(loaded);
    position += piece.length;
    if (loaded.length > 0) yield loaded;
  }
}

function forgetSections(start: Buffer): void {
  // A file that shrank since it was found to be a program; who archives it refuses its length.
  if (start.length < HEADER_BYTES) return;
  start.writeBigUInt64LE(0n, SECTION_TABLE_OFFSET);
  start.writeUInt16LE(0, SECTION_COUNT);
  start.writeUInt16LE(0, NAME_SECTION);
}
