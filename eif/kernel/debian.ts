/**
 * A kernel built from Debian's linux-source-6.12 with our own configuration. Built once: it is kept under the hash of what
 * goes into it (source version, configuration, compiler, recipe), outside the checkout, and compared with what was built
 * whenever it is used.
 */
import { join } from 'node:path';
import { sha256OfFile } from '../../system/files/file-digest.ts';
import { KernelError } from '../build-errors.ts';
import type { Architecture } from '../format/header.ts';
import { readSmallFile } from '../input-file.ts';
import { type BuildKind, cachedBuild } from './cached-build.ts';
import { KERNEL_CMDLINE } from './cmdline.ts';
import type { Kernel } from './kernel.ts';
import { requirePackages, type ToolVersions, toolVersions } from './tool-chain.ts';

/** The version that the measurements of this release were made with. */
export const KERNEL_SOURCE_VERSION = '6.12.117-1';

const RELEASE_NAME = 'release';
const MAX_RELEASE_BYTES = 4096;

export interface DebianKernelOptions {
  readonly architecture: Architecture;
  /** Of Debian's package. */
  readonly version: string;
  /** The folder with scripts/ and eif/. */
  readonly projectFolder: string;
  /** Kernels and package indexes are kept here. */
  readonly cacheFolder: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Debian packages that must be installed; default: those that the recipe needs. */
  readonly packages?: readonly string[];
  /** Default: asks the machine's gcc and ld. */
  readonly tools?: () => Promise<ToolVersions>;
  readonly signal: AbortSignal;
  /** One line for people at each step. */
  readonly onProgress: (step: string) => void;
}

const KIND: BuildKind = {
  recordName: 'kernel.json',
  explain: (failure, output) =>
    failure === 'no-source'
      ? new KernelError('KERNEL_SOURCE', 'the wanted version of linux-source-6.12 is not on the mirror', {
          found: output,
        })
      : new KernelError('KERNEL_BUILD', `the kernel did not build:\n${output}`),
  changed: (message, details) => new KernelError('KERNEL_CACHE_CHANGED', message, details),
};

/**
 * @throws KernelError KERNEL_ARCHITECTURE, KERNEL_PACKAGES_MISSING, KERNEL_SOURCE, KERNEL_BUILD, KERNEL_CACHE_CHANGED;
 * the signal's reason
 */
export async function debianKernel(options: DebianKernelOptions): Promise<Kernel> {
  const { architecture, version } = options;
  if (architecture !== 'x86_64') {
    throw new KernelError('KERNEL_ARCHITECTURE', 'no kernel configuration for this processor', {
      found: architecture,
      allowed: 'x86_64',
    });
  }
  await requirePackages(options.packages);
  const inputs = await inputsOf(options);
  const [script, args, files] = [scriptOf(options), [version, fragmentOf(options)], ['bzImage', RELEASE_NAME]];
  const folder = await cachedBuild({ name: 'kernel', script, args, inputs, files }, options, KIND);
  const release = await readSmallFile(join(folder, RELEASE_NAME), MAX_RELEASE_BYTES);
  return {
    architecture,
    path: join(folder, 'bzImage'),
    cmdline: KERNEL_CMDLINE,
    release: release.toString().trim(),
    origin: { name: 'linux', version, purl: `pkg:deb/debian/linux-source-6.12@${version}`, inputs },
    bootstrap: { kind: 'own' },
  };
}

function fragmentOf({ projectFolder }: DebianKernelOptions): string {
  return join(projectFolder, 'eif/kernel/enclave-hardened.config');
}

function scriptOf({ projectFolder }: DebianKernelOptions): string {
  return join(projectFolder, 'scripts/build-kernel.sh');
}

async function inputsOf(options: DebianKernelOptions): Promise<Readonly<Record<string, string>>> {
  return {
    source: `linux-source-6.12 ${options.version}`,
    configuration: await sha256OfFile(fragmentOf(options)),
    recipe: await sha256OfFile(scriptOf(options)),
    ...(await (options.tools ?? toolVersions)()),
  };
}
