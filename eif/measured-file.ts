/** One small file of the root file system in an image: what the enclave itself will read there, and what its measurements stand for. */
import { decompress, detectCompression } from './compress.ts';
import { readCpio } from './cpio/reader.ts';
import { CpioError } from './errors.ts';
import { type EifImage, sectionData } from './format/reader.ts';
import { readRange, withInputFile } from './input-file.ts';

const MAGIC_BYTES = 4;
/** Where the root file system lies for AWS' bootstrap. */
const BOOTSTRAPPED = 'rootfs';
/** More than any configuration has. */
const MAX_BYTES = 1024 * 1024;

/**
 * The last one of that name, as the kernel unpacks them.
 * @param name relative to the root. @returns undefined where there is none, it is too long, or the ramdisks hold no archives
 */
export function readMeasuredFile({ path, sections }: EifImage, name: string): Promise<Buffer | undefined> {
  return withInputFile(path, async (file) => {
    const names = [name, `${BOOTSTRAPPED}/${name}`];
    let found: Buffer | undefined;
    for (const section of sections.filter(({ kind }) => kind === 'ramdisk')) {
      const magic = await readRange(file, section.dataOffset, Math.min(MAGIC_BYTES, section.size));
      const archive = decompress(sectionData(file, section), detectCompression(magic));
      try {
        const isWanted = (entry: { readonly name: string; readonly bytes: number }) =>
          names.includes(entry.name) && entry.bytes <= MAX_BYTES;
        for await (const entry of readCpio(archive, isWanted)) if (names.includes(entry.name)) found = entry.content;
      } catch (error) {
        if (!(error instanceof CpioError)) throw error;
      }
    }
    return found;
  });
}
