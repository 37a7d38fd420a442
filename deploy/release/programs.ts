/**
 * The programs of the supervisor as every image of this release has them, whatever an operator configures: with Node, the libraries of the
 * machine that builds and the kernel they make PCR1. Whoever has the bill of an image finds the same digests there.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { bundlePrograms } from '../../eif/rootfs/bundle.ts';
import type { RootfsFile } from '../../eif/rootfs/content.ts';
import { byCodeUnits } from '../../runtime/code-units.ts';
import { CODE_FOLDER, INIT_PATH } from '../../wire/image-layout.ts';
import type { ProgramDigests } from './bill.ts';
import { sha256Of } from './sums.ts';

async function contentOf(source: RootfsFile['source']): Promise<Buffer> {
  if ('path' in source) return readFileSync(source.path);
  return 'bytes' in source ? Buffer.from(source.bytes) : Buffer.concat(await Array.fromAsync(source.pieces));
}

/** @throws EifBuildError EIF_BUILD_BUNDLE, EIF_BUILD_NODE_MISSING */
export async function enclavePrograms(projectFolder: string): Promise<ProgramDigests> {
  const workFolder = mkdtempSync(join(tmpdir(), 'acra-enclave-programs-'));
  try {
    const { files } = await bundlePrograms({
      projectFolder,
      entry: 'supervisor/main.ts',
      name: basename(INIT_PATH),
      into: CODE_FOLDER,
      forbidden: ['emulator/acra-server/main.ts'],
      workFolder,
    });
    const digests = await Promise.all(
      files.map(async ({ name, source }) => [name, sha256Of(await contentOf(source))] as const),
    );
    return new Map(digests.toSorted(([a], [b]) => byCodeUnits(a, b)));
  } finally {
    rmSync(workFolder, { recursive: true, force: true });
  }
}
