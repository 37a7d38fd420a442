/** Images for enclave tests: the product's own recipe, built as `acra-enclave eif build` builds it, with parts exchanged. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { locateAcraServer } from '../../../acra/obtain/locate.ts';
import { userCacheFolder } from '../../../cli/cache-folder.ts';
import { ENTRY_POINTS } from '../../../cli/eif/build-folder.ts';
import { hostArchitecture, provideKernel } from '../../../cli/eif/provide-kernel.ts';
import { readRecipe } from '../../../cli/eif/read-recipe.ts';
import { PROJECT } from '../../../cli/qemu/vm-tools.ts';
import type { ImageRequest } from '../../../eif/image/build-image.ts';
import { buildEnclaveImage, IMAGE_NAME } from '../../../eif/image/build-image.ts';
import type { Measurements } from '../../../eif/image/measurements.ts';
import { STAND_IN_COMMAND } from '../../../emulator/acra-server/command.ts';
import { RELEASE } from '../../../runtime/release.ts';
import type { PcrIndex } from '../../../wire/brands.ts';
import { toPcrIndex } from '../../../wire/brands.ts';

const BUILD_MS = 1_800_000;

export interface BuiltImage {
  readonly path: string;
  readonly measurements: Measurements;
  /** PCR0-2, as measurements.json tells them. */
  readonly pcrs: ReadonlyMap<PcrIndex, Buffer>;
}

/** What a test may exchange. Uncompressed by default: such an image is built and booted faster. */
export type ImageChanges = Partial<Pick<ImageRequest, 'compression' | 'acraServer' | 'application' | 'kernel'>> & {
  /** Source file of the program for PID 1, relative to the project. */
  readonly init?: string;
  /** The same of the stand-in for acra-server; for images that have it. */
  readonly standIn?: string;
  readonly cmdlineSuffix?: string;
};

/** What an image is made from where a test exchanges nothing. */
export async function usualParts(
  signal = AbortSignal.timeout(BUILD_MS),
): Promise<Pick<ImageRequest, 'kernel' | 'system'> & { readonly acraServer: NonNullable<ImageRequest['acraServer']> }> {
  const recipe = readRecipe(undefined);
  const architecture = hostArchitecture();
  return {
    kernel: await provideKernel(recipe, { architecture, projectFolder: PROJECT, signal }),
    system: recipe.libraries,
    acraServer: await locateAcraServer({
      environment: process.env,
      cacheFolder: userCacheFolder(process.env, 'acra-server'),
      standIn: STAND_IN_COMMAND,
    }),
  };
}

export async function buildTestImage(
  enclaveFolder: string,
  outputFolder: string,
  { init, standIn, cmdlineSuffix = '', ...changes }: ImageChanges = {},
): Promise<BuiltImage> {
  const signal = AbortSignal.timeout(BUILD_MS);
  const { kernel, ...parts } = await usualParts(signal);
  await buildEnclaveImage({
    name: 'acra-enclave-test',
    release: RELEASE,
    kernel: { ...kernel, cmdline: kernel.cmdline.replace(/ rdinit=/, `${cmdlineSuffix} rdinit=`) },
    projectFolder: PROJECT,
    ...parts,
    entryPoints: { init: init ?? ENTRY_POINTS.init, standIn: standIn ?? ENTRY_POINTS.standIn },
    allowStandIn: true,
    enclaveFolder,
    memoryMiB: 4_096,
    certificateEnds: [],
    compression: 'none',
    signer: 'unsigned',
    outputFolder,
    signal,
    onProgress: () => undefined,
    ...changes,
  });
  return readImage(outputFolder);
}

/** From the file that a build leaves for people and policies, not from memory. */
function readImage(folder: string): BuiltImage {
  const measurements = JSON.parse(readFileSync(join(folder, 'measurements.json'), 'utf8')) as Measurements;
  const pcrs = ([0, 1, 2] as const).map(
    (index) => [toPcrIndex(index), Buffer.from(measurements.Measurements[`PCR${index}`], 'hex')] as const,
  );
  return { path: join(folder, IMAGE_NAME), measurements, pcrs: new Map(pcrs) };
}
