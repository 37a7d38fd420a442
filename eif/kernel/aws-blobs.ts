/**
 * The kernel that nitro-cli installs, with AWS's init and NSM module: images built on it have the PCR1 that AWS's own tool
 * gives. Files: nitro-formats 3.3 (blobs of nitro-cli: bzImage or Image, init, nsm.ko, cmdline; the kernel's .config).
 */
import { join } from 'node:path';
import { KernelError } from '../build-errors.ts';
import { EifError } from '../errors.ts';
import type { Architecture } from '../format/header.ts';
import { openInputFile, readSmallFile } from '../input-file.ts';
import type { Kernel } from './kernel.ts';

const KERNEL_NAMES: Readonly<Record<Architecture, string>> = { x86_64: 'bzImage', aarch64: 'Image' };
const MAX_CMDLINE_FILE_BYTES = 4096;
const MAX_CONFIG_BYTES = 1_048_576;

/** @throws KernelError KERNEL_BLOBS_INVALID */
export async function awsBlobs(folder: string, architecture: Architecture): Promise<Kernel> {
  const name = KERNEL_NAMES[architecture];
  const at = (file: string): string => join(folder, file);
  try {
    for (const file of [name, 'init', 'nsm.ko']) await (await openInputFile(at(file))).handle.close();
    const cmdline = (await readSmallFile(at('cmdline'), MAX_CMDLINE_FILE_BYTES)).toString('utf8').trim();
    const release = await releaseOf(at(`${name}.config`));
    return {
      architecture,
      path: at(name),
      cmdline,
      release,
      origin: { name: 'nitro-cli-blobs', version: release, inputs: {} },
      bootstrap: { kind: 'aws', init: at('init'), nsmModule: at('nsm.ko') },
    };
  } catch (cause) {
    if (!(cause instanceof EifError)) throw cause;
    throw new KernelError('KERNEL_BLOBS_INVALID', `${folder} does not hold nitro-cli's blobs`, {
      allowed: `${name}, init, nsm.ko and cmdline`,
      cause,
    });
  }
}

/** The third line of a kernel's .config: `# Linux/x86_64 4.14.256 Kernel Configuration`. */
async function releaseOf(configFile: string): Promise<string> {
  const text = await readSmallFile(configFile, MAX_CONFIG_BYTES).catch(() => Buffer.alloc(0));
  return /^# Linux\/\S+ (\S+) Kernel Configuration$/m.exec(text.toString('utf8'))?.[1] ?? 'unknown';
}
