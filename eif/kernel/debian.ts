/**
 * A kernel built from Debian's linux-source-6.12 with our own configuration. Built once: it is kept under the hash of what
 * goes into it (source version, configuration, compiler, recipe), outside the checkout, and compared with what was built
 * whenever it is used.
 */
import { createHash } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { sha256OfFile } from '../bom/file-digest.ts';
import { KernelError } from '../build-errors.ts';
import type { Architecture } from '../format/header.ts';
import { readSmallFile } from '../input-file.ts';
import { KERNEL_CMDLINE } from './cmdline.ts';
import type { Kernel } from './kernel.ts';
import { runRecipe } from './recipe-process.ts';
import { requirePackages, type ToolVersions, toolVersions } from './tool-chain.ts';

/** The version that the measurements of this release were made with. */
export const KERNEL_SOURCE_VERSION = '6.12.117-1';

const RECORD_NAME = 'kernel.json';
const MAX_SCRIPT_BYTES = 1_048_576;
const MAX_RECORD_BYTES = 65_536;

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

const recordSchema = z.strictObject({
  inputs: z.record(z.string(), z.string()),
  release: z.string(),
  /** Of bzImage, as hex. */
  sha256: z.string(),
});
type KernelRecord = z.infer<typeof recordSchema>;

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
  const key = createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 24);
  const folder = join(options.cacheFolder, `linux-${version}-${key}`);
  const record = (await readRecord(folder)) ?? (await buildInto(folder, inputs, options));
  const path = join(folder, 'bzImage');
  await requireUnchanged(path, record.sha256);
  return {
    architecture,
    path,
    cmdline: KERNEL_CMDLINE,
    release: record.release,
    origin: { name: 'linux', version, purl: `pkg:deb/debian/linux-source-6.12@${version}`, inputs: record.inputs },
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
  const digest = async (path: string): Promise<string> =>
    createHash('sha256')
      .update(await readSmallFile(path, MAX_SCRIPT_BYTES))
      .digest('hex');
  return {
    source: `linux-source-6.12 ${options.version}`,
    configuration: await digest(fragmentOf(options)),
    recipe: await digest(scriptOf(options)),
    ...(await (options.tools ?? toolVersions)()),
  };
}

async function readRecord(folder: string): Promise<KernelRecord | undefined> {
  const bytes = await readSmallFile(join(folder, RECORD_NAME), MAX_RECORD_BYTES).catch(() => undefined);
  if (bytes === undefined) return undefined;
  try {
    return recordSchema.parse(JSON.parse(bytes.toString()));
  } catch (cause) {
    throw new KernelError('KERNEL_CACHE_CHANGED', `${folder} holds a damaged ${RECORD_NAME}`, { cause });
  }
}

async function buildInto(
  folder: string,
  inputs: Readonly<Record<string, string>>,
  options: DebianKernelOptions,
): Promise<KernelRecord> {
  const fresh = `${folder}.${process.pid}.partial`;
  await mkdir(dirname(folder), { recursive: true });
  try {
    const args = [options.version, fragmentOf(options), fresh];
    await runRecipe({ name: 'kernel', script: scriptOf(options), args }, options, explainFailure);
    const release = (await readSmallFile(join(fresh, 'release'), MAX_RECORD_BYTES)).toString().trim();
    const record = { inputs: { ...inputs }, release, sha256: await sha256OfFile(join(fresh, 'bzImage')) };
    await writeFile(join(fresh, RECORD_NAME), `${JSON.stringify(record, null, 2)}\n`);
    await rm(folder, { recursive: true, force: true });
    await rename(fresh, folder);
    return record;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function requireUnchanged(path: string, expected: string): Promise<void> {
  const found = await sha256OfFile(path);
  if (found === expected) return;
  throw new KernelError('KERNEL_CACHE_CHANGED', `${path} was changed after it was built`, { found, allowed: expected });
}

function explainFailure(failure: 'no-source' | 'no-build', output: string): KernelError {
  if (failure === 'no-build') return new KernelError('KERNEL_BUILD', `the kernel did not build:\n${output}`);
  return new KernelError('KERNEL_SOURCE', 'the wanted version of linux-source-6.12 is not on the mirror', {
    found: output,
  });
}
