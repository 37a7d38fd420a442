/** The application of an enclave image out of the container image that --image or image.yaml names, held against the lock file. */
import { dirname, resolve } from 'node:path';
import { cwd } from 'node:process';
import type { AppEnclaveConfig } from '../../config/app/app-enclave.ts';
import type { Architecture } from '../../eif/format/header.ts';
import type { ApplicationContent } from '../../eif/image/contents.ts';
import type { ImageRecipe } from '../../eif/image/recipe.ts';
import { applicationImage } from '../../eif/oci/application.ts';
import { lockFile, readImageLock, writeImageLock } from '../../eif/oci/image-lock.ts';
import type { SetuidChoice } from '../../eif/oci/layers/privileges.ts';
import type { ProgramOfImage } from '../../eif/oci/programs/find-program.ts';
import { parseImageName } from '../../eif/oci/source/image-name.ts';
import { userCacheFolder } from '../cache-folder.ts';
import { progress } from '../output.ts';

/** What the command line says; the rest is in image.yaml. */
export interface ContainerOptions {
  readonly image?: string;
  readonly closure?: boolean;
  readonly setuid?: SetuidChoice;
  readonly updateLock?: boolean;
}

export interface ContainerBuild extends ContainerOptions {
  readonly config: Pick<AppEnclaveConfig, 'programs'>;
  readonly enclaveFolder: string;
  readonly recipe: ImageRecipe;
  /** image.yaml. */
  readonly recipeFile: string | undefined;
  readonly architecture: Architecture;
  /** Gets the contents of the image; must stay until the enclave image is written. */
  readonly workFolder: string;
  readonly signal: AbortSignal;
}

/** @throws OciError; EifBuildError EIF_BUILD_ELF */
export async function containerApplication(build: ContainerBuild): Promise<ApplicationContent> {
  const { recipe, recipeFile, enclaveFolder, updateLock = false } = build;
  const { image: fromRecipe, keep } = recipe.application;
  const given = build.image ?? fromRecipe ?? '';
  const folder = build.image === undefined && recipeFile !== undefined ? dirname(resolve(recipeFile)) : cwd();
  const file = lockFile(enclaveFolder);
  const locked = updateLock ? undefined : await readImageLock(file);
  const { content, components, lock } = await applicationImage({
    image: parseImageName(given, folder),
    given,
    programs: programsOf(build.config),
    lock: locked,
    extent: (build.closure ?? recipe.application.closure) ? 'closure' : 'whole',
    keep,
    setuid: build.setuid ?? recipe.application.setuid,
    architecture: build.architecture,
    workFolder: build.workFolder,
    cacheFolder: userCacheFolder(process.env, 'images'),
    environment: process.env,
    signal: build.signal,
    onProgress: progress,
  });
  if (locked === undefined) {
    await writeImageLock(file, lock);
    progress(`locked: ${lock.config} in ${file}`);
  }
  return { content, components };
}

/** Also the commands of probes, which run in the place of their programs. */
function programsOf({ programs }: ContainerBuild['config']): readonly ProgramOfImage[] {
  return Object.entries(programs).flatMap(([name, { command, user, environment, workingFolder, probe }]) => {
    const program: ProgramOfImage = { name, command, user, environment, workingFolder };
    const isCommand = probe !== undefined && 'command' in probe;
    return isCommand ? [program, { ...program, name: `${name} (probe)`, command: probe.command }] : [program];
  });
}
