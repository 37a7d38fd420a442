/**
 * The bootstrap ramdisk as nitro-cli builds it from its own init and NSM module: three entries with linuxkit's time.
 * With the blobs of a nitro-cli release it gives the PCR1 of that release. Specification: nitro-formats 3.3.
 */
import type { CpioItem, FileSource } from './manifest.ts';
import { writeCpio } from './writer.ts';

/** 2017-04-18T16:30:00Z: the time of all entries that linuxkit makes itself. */
const LINUXKIT_MTIME_S = 1_492_533_000;
const MODE = 0o755;

interface BootstrapFiles {
  readonly init: FileSource;
  /** nsm.ko */
  readonly nsmModule: FileSource;
}

/** The uncompressed archive in pieces. @throws EifError EIF_FILE_READ */
export function writeBootstrapRamdisk({ init, nsmModule }: BootstrapFiles): AsyncGenerator<Buffer, void> {
  const common = { mode: MODE, mtimeS: LINUXKIT_MTIME_S };
  const items: CpioItem[] = [
    { ...common, type: 'directory', name: 'dev' },
    { ...common, type: 'file', name: 'init', source: init },
    { ...common, type: 'file', name: 'nsm.ko', source: nsmModule },
  ];
  return writeCpio(items, 'given');
}
