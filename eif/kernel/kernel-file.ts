/** A kernel that was built before, for instance one kept beside a release: its SHA-256 stands in the measurements. */
import type { Architecture } from '../format/header.ts';
import { openInputFile } from '../input-file.ts';
import { KERNEL_CMDLINE } from './cmdline.ts';
import type { Kernel } from './kernel.ts';

/** @throws EifError EIF_FILE_READ */
export async function kernelFile(path: string, architecture: Architecture): Promise<Kernel> {
  await (await openInputFile(path)).handle.close();
  return {
    architecture,
    path,
    cmdline: KERNEL_CMDLINE,
    release: 'unknown',
    origin: { name: 'linux', version: 'unknown', inputs: {} },
    bootstrap: { kind: 'own' },
  };
}
