/** Builds the image of a measured folder from this source tree: for `eif build`, and for whoever checks what another build gave. */
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requireCensorConfig } from '../../acra/censor-config.ts';
import { parseEncryptorConfig } from '../../acra/encryptor-config/lint.ts';
import { requireStandInCan } from '../../acra/encryptor-config/stand-in.ts';
import { tokenUseOf } from '../../acra/encryptor-config/token-use.ts';
import { locateAcraServer } from '../../acra/obtain/locate.ts';
import type { AcraProgram } from '../../acra/obtain/program.ts';
import { digestFiles } from '../../attestation/runtime/folder-digest.ts';
import { stateRuntime } from '../../attestation/runtime/state-runtime.ts';
import { anyEnclaveSchema, isApp } from '../../config/any-enclave.ts';
import type { AppEnclaveConfig } from '../../config/app/app-enclave.ts';
import type { EnclaveConfig } from '../../config/enclave.ts';
import { loadGuardList } from '../../config/guard-list.ts';
import { loadConfig } from '../../config/load.ts';
import { weaknessesOf } from '../../config/weaknesses.ts';
import type { ImageSigner } from '../../eif/build.ts';
import { EifBuildError } from '../../eif/build-errors.ts';
import type { Architecture } from '../../eif/format/header.ts';
import { buildEnclaveImage } from '../../eif/image/build-image.ts';
import type { ApplicationContent, EntryPoints } from '../../eif/image/contents.ts';
import type { Measurements } from '../../eif/image/measurements.ts';
import type { ImageRecipe } from '../../eif/image/recipe.ts';
import { readSmallFile } from '../../eif/input-file.ts';
import { APPLICATION_COMPONENT, appFolder } from '../../eif/rootfs/app-folder.ts';
import { measuredFolder } from '../../eif/rootfs/measured-folder.ts';
import { STAND_IN_COMMAND } from '../../emulator/acra-server/command.ts';
import { requireNoFinding } from '../../keys/finding.ts';
import { checkMeasuredFolder } from '../../keys/folder-check.ts';
import { certificateEnds, checkFolderCertificates } from '../../keys/tls/folder-certificates.ts';
import { RELEASE } from '../../runtime/release.ts';
import type { CertificateEnd } from '../../wire/certificate-end.ts';
import { describeEnd, lifeOf } from '../../wire/certificate-end.ts';
import { userCacheFolder } from '../cache-folder.ts';
import { CliError } from '../errors.ts';
import { progress } from '../output.ts';
import { type ContainerOptions, containerApplication } from './container-application.ts';
import { workFolderIn } from './container-folders.ts';
import { hostArchitecture, provideKernel } from './provide-kernel.ts';
import { readRecipe } from './read-recipe.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
export const ENTRY_POINTS: EntryPoints = { init: 'supervisor/main.ts', standIn: 'emulator/acra-server/main.ts' };
const MAX_ENCRYPTOR_BYTES = 1_048_576;

export interface FolderBuild {
  /** The measured folder. */
  readonly enclave: string;
  /** image.yaml; default: all defaults. */
  readonly recipe: string | undefined;
  readonly allowStandIn: boolean;
  readonly signer: () => Promise<ImageSigner | 'unsigned'>;
  /** With `workload: app`. */
  readonly container: ContainerOptions;
  /** Gets the three results. */
  readonly output: string;
  readonly signal: AbortSignal;
}

export interface BuiltFolder {
  readonly measurements: Measurements;
  readonly recipe: ImageRecipe;
}

/**
 * The kernel comes last, for it can take minutes: what is wrong with anything else is known by then.
 * @throws those of buildEnclaveImage and of every check before it
 */
export async function buildFolder(build: FolderBuild): Promise<BuiltFolder> {
  const { signal } = build;
  const enclaveFolder = resolve(build.enclave);
  const recipe = readRecipe(build.recipe);
  const architecture = hostArchitecture();
  await using work = new AsyncDisposableStack();
  const { acraServer, application, ends } = await partsOf(enclaveFolder, { build, recipe, architecture, work });
  const signer = await build.signer();
  const kernel = await provideKernel(recipe, { architecture, projectFolder: PROJECT, signal });
  const measurements = await buildEnclaveImage({
    name: recipe.name,
    release: RELEASE,
    kernel,
    projectFolder: PROJECT,
    entryPoints: ENTRY_POINTS,
    system: recipe.libraries,
    acraServer,
    allowStandIn: build.allowStandIn,
    ...(application === undefined ? {} : { application }),
    enclaveFolder,
    compression: recipe.compression,
    memoryMiB: recipe.memoryMiB,
    certificateEnds: ends,
    signer,
    outputFolder: resolve(build.output),
    signal,
    onProgress: progress,
  });
  return { measurements, recipe };
}

interface Parts {
  readonly acraServer: AcraProgram | undefined;
  readonly application: ApplicationContent | undefined;
  readonly ends: readonly CertificateEnd[];
}

interface Context {
  readonly build: FolderBuild;
  readonly recipe: ImageRecipe;
  readonly architecture: Architecture;
  /** Ends when the image is written. */
  readonly work: AsyncDisposableStack;
}

async function partsOf(folder: string, context: Context): Promise<Parts> {
  const config = loadConfig(anyEnclaveSchema, join(folder, 'enclave.yaml'));
  if (isApp(config)) return { acraServer: undefined, ...(await partsOfApp(folder, config, context)) };
  refuseContainer(context);
  const acraServer = await findAcraServer(context.build.allowStandIn);
  return { acraServer, application: undefined, ends: await checkConfiguration(folder, config, acraServer) };
}

/** It would change nothing, and whoever gave it expects that it does. */
function refuseContainer({ build, recipe }: Context): void {
  const { image, closure, setuid, updateLock } = build.container;
  const given = { image: image ?? recipe.application.image, closure, setuid, updateLock };
  if (Object.values(given).every((value) => value === undefined)) return;
  throw new CliError('CLI_OPTION', 'container images are for enclaves with workload: app', {
    found: Object.keys(given)
      .filter((name) => given[name as keyof typeof given] !== undefined)
      .join(', '),
    allowed: 'none of them with Acra',
  });
}

async function partsOfApp(
  folder: string,
  config: AppEnclaveConfig,
  context: Context,
): Promise<Omit<Parts, 'acraServer'>> {
  const nowMs = Date.now();
  await measuredFolder(folder);
  requireNoFinding(checkFolderCertificates(folder, config, nowMs).findings);
  const ends = tellEnds(certificateEnds(folder, config, nowMs), nowMs);
  stateRuntime({ config, files: await digestFiles(folder), release: RELEASE });
  return { application: await applicationOf(folder, config, context), ends };
}

/** Of the container image that is named, else of the folder beside enclave.yaml. */
async function applicationOf(
  enclaveFolder: string,
  config: AppEnclaveConfig,
  { build, recipe, architecture, work }: Context,
): Promise<ApplicationContent> {
  const { container, signal } = build;
  if ((container.image ?? recipe.application.image) !== undefined) {
    const { path: workFolder } = work.use(await workFolderIn(resolve(build.output)));
    const recipeFile = build.recipe;
    const options = { ...container, config, enclaveFolder, recipe, recipeFile, architecture, workFolder, signal };
    return containerApplication(options);
  }
  const content = await appFolder(enclaveFolder, config);
  const { name } = config;
  return { content, components: [{ key: APPLICATION_COMPONENT, type: 'application', name, version: undefined }] };
}

function tellEnds(ends: readonly CertificateEnd[], nowMs: number): readonly CertificateEnd[] {
  for (const end of ends) if (lifeOf(end, nowMs) !== 'valid') progress(`warning: ${describeEnd(end, nowMs)}`);
  return ends;
}

/** What the enclave would refuse at its start, or its clients later, is refused here. */
async function checkConfiguration(
  folder: string,
  config: EnclaveConfig,
  program: AcraProgram,
): Promise<readonly CertificateEnd[]> {
  const file = join(folder, config.acra.encryptorConfig);
  const encryptorConfig = parseEncryptorConfig(
    await readSmallFile(file, MAX_ENCRYPTOR_BYTES),
    file,
    tokenUseOf(config),
  );
  if (config.acra.censorConfig !== undefined) requireCensorConfig(join(folder, config.acra.censorConfig));
  if (program.kind === 'stand-in') requireStandInCan(encryptorConfig, file);
  loadGuardList(config, folder);
  await measuredFolder(folder);
  const nowMs = Date.now();
  const { warnings } = await checkMeasuredFolder({ folder, config, encryptorConfig, nowMs });
  for (const warning of [...weaknessesOf(config), ...warnings]) progress(`warning: ${warning}`);
  const ends = tellEnds(certificateEnds(folder, config, nowMs), nowMs);
  stateRuntime({ config, files: await digestFiles(folder), release: RELEASE });
  return ends;
}

async function findAcraServer(allowStandIn: boolean): Promise<AcraProgram> {
  const found = await locateAcraServer({
    environment: process.env,
    cacheFolder: userCacheFolder(process.env, 'acra-server'),
    standIn: STAND_IN_COMMAND,
  });
  if (found.kind !== 'stand-in' || allowStandIn) return found;
  throw new EifBuildError('EIF_BUILD_STAND_IN', 'no acra-server was found but the stand-in');
}
