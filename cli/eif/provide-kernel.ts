/** The kernel that a recipe names, and where built ones are kept: the user's cache (XDG base directory specification). */
import type { Architecture } from '../../eif/format/header.ts';
import type { ImageRecipe } from '../../eif/image/recipe.ts';
import { awsBlobs } from '../../eif/kernel/aws-blobs.ts';
import { debianKernel } from '../../eif/kernel/debian.ts';
import type { Kernel } from '../../eif/kernel/kernel.ts';
import { kernelFile } from '../../eif/kernel/kernel-file.ts';
import { userCacheFolder } from '../cache-folder.ts';
import { CliError } from '../errors.ts';
import { progress } from '../output.ts';

interface KernelContext {
  readonly architecture: Architecture;
  readonly projectFolder: string;
  readonly signal: AbortSignal;
}

/** Images are for the processor that builds them: acra-server and Node are this machine's. */
export function hostArchitecture(): Architecture {
  if (process.arch === 'x64') return 'x86_64';
  if (process.arch === 'arm64') return 'aarch64';
  throw new CliError('CLI_OPTION', 'enclaves run on two processors', { found: process.arch, allowed: 'x64, arm64' });
}

export async function provideKernel({ kernel }: ImageRecipe, context: KernelContext): Promise<Kernel> {
  const { architecture } = context;
  if ('aws-blobs' in kernel) return awsBlobs(kernel['aws-blobs'], architecture);
  if ('file' in kernel) return kernelFile(kernel.file, architecture);
  return debianKernel({
    ...context,
    version: kernel.debian,
    cacheFolder: userCacheFolder(process.env, 'kernel'),
    environment: process.env,
    onProgress: progress,
  });
}
