/**
 * Copies a program without what no loader reads: symbol tables, debug information and the section headers that find them.
 * They come after the last segment and would take a fifth of the image and of the enclave's memory; what runs is unchanged.
 * Specification: ELF gABI, chapters 4 (e_shoff, e_shnum, e_shstrndx) and 5 (segments are all that a process is made of).
 */
import { createHash } from 'node:crypto';
import { readChunks, withInputFile } from '../input-file.ts';
import { writeOutputFile } from '../output-file.ts';
import { readElf } from './elf.ts';

const SECTION_TABLE_OFFSET = 0x28;
const SECTION_COUNT = 0x3c;
const NAME_SECTION = 0x3e;

export interface CopiedProgram {
  readonly path: string;
  /** Of the whole original, as hex. */
  readonly originalSha256: string;
}

/** @throws EifBuildError EIF_BUILD_ELF; EifError EIF_FILE_READ, EIF_FILE_WRITE */
export async function copyLoadedPart(original: string, copy: string): Promise<CopiedProgram> {
  const { loadedBytes } = await readElf(original);
  const hash = createHash('sha256');
  await withInputFile(original, (file) =>
    writeOutputFile(copy, async (out) => {
      let position = 0;
      for await (const chunk of readChunks(file, 0, file.size)) {
        hash.update(chunk);
        const loaded = chunk.subarray(0, Math.max(0, loadedBytes - position));
        if (position === 0) forgetSections(loaded);
        await out.write(loaded, position);
        position += chunk.length;
      }
    }),
  );
  return { path: copy, originalSha256: hash.digest('hex') };
}

function forgetSections(header: Buffer): void {
  header.writeBigUInt64LE(0n, SECTION_TABLE_OFFSET);
  header.writeUInt16LE(0, SECTION_COUNT);
  header.writeUInt16LE(0, NAME_SECTION);
}
