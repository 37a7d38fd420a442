/** Image builds for tests: the real runtime, a kernel of some bytes, and a small program of this machine as acra-server. */
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildEnclaveImage, type ImageRequest } from '../../../../eif/image/build-image.ts';
import type { Measurements } from '../../../../eif/image/measurements.ts';
import { kernelFile } from '../../../../eif/kernel/kernel-file.ts';
import { sha256OfFile } from '../../../../system/files/file-digest.ts';
import { writeMeasuredFolder } from './measured-folder.ts';

export const PROJECT = fileURLToPath(new URL('../../../../', import.meta.url));
export const ARCHITECTURE = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
export const ENTRY_POINTS: ImageRequest['entryPoints'] = {
  init: 'test/eif/image/support/init.ts',
  standIn: 'emulator/acra-server/main.ts',
};

/** Dynamically linked and there on every machine. */
async function smallProgram(): Promise<NonNullable<ImageRequest['acraServer']>> {
  const program = realpathSync('/usr/bin/env');
  return { kind: 'path', program, leadingArguments: [], sha256: await sha256OfFile(program) };
}

/** Kernel and measured folder are made in `folder`; results go to its `build`. */
export async function requestIn(folder: string, changes: Partial<ImageRequest> = {}): Promise<ImageRequest> {
  const kernel = join(folder, 'bzImage');
  mkdirSync(dirname(kernel), { recursive: true });
  writeFileSync(kernel, 'KERNEL');
  return {
    name: 'test',
    release: '1.2.3',
    kernel: await kernelFile(kernel, ARCHITECTURE),
    projectFolder: PROJECT,
    entryPoints: ENTRY_POINTS,
    system: '/',
    acraServer: await smallProgram(),
    allowStandIn: false,
    enclaveFolder: writeMeasuredFolder(join(folder, 'enclave')),
    memoryMiB: 4_096,
    certificateEnds: [],
    compression: 'none',
    signer: 'unsigned',
    outputFolder: join(folder, 'build'),
    signal: AbortSignal.timeout(120_000),
    onProgress: () => undefined,
    ...changes,
  };
}

export async function buildIn(folder: string, changes: Partial<ImageRequest> = {}): Promise<Measurements> {
  return buildEnclaveImage(await requestIn(folder, changes));
}

/** By itself: with real compression, fast. */
if (import.meta.main) await buildIn(process.argv[2] ?? '', { compression: { zstd: 1 } });
