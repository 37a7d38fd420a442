/** `acra-enclave eif build`: makes an image of the measured folder, or puts an extracted one together again. */
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import { requireStandInCan } from '../../../acra/encryptor-config/stand-in.ts';
import { locateAcraServer } from '../../../acra/obtain/locate.ts';
import type { AcraProgram } from '../../../acra/obtain/program.ts';
import { digestFiles } from '../../../attestation/runtime/folder-digest.ts';
import { stateRuntime } from '../../../attestation/runtime/state-runtime.ts';
import { enclaveSchema } from '../../../config/enclave.ts';
import { guardWarnings } from '../../../config/guard.ts';
import { loadGuardList } from '../../../config/guard-list.ts';
import { loadConfig } from '../../../config/load.ts';
import { EifBuildError } from '../../../eif/build-errors.ts';
import { buildEnclaveImage } from '../../../eif/image/build-image.ts';
import type { EntryPoints } from '../../../eif/image/contents.ts';
import type { Measurements } from '../../../eif/image/measurements.ts';
import type { ImageRecipe } from '../../../eif/image/recipe.ts';
import { readSmallFile } from '../../../eif/input-file.ts';
import { measuredFolder } from '../../../eif/rootfs/measured-folder.ts';
import { STAND_IN_COMMAND } from '../../../emulator/acra-server/command.ts';
import { checkMeasuredFolder } from '../../../keys/folder-check.ts';
import { certificateEnds } from '../../../keys/tls/folder-certificates.ts';
import { RELEASE } from '../../../runtime/release.ts';
import type { CertificateEnd } from '../../../wire/certificate-end.ts';
import { describeEnd, lifeOf } from '../../../wire/certificate-end.ts';
import { acraCacheFolder } from '../../acra-cache.ts';
import type { BuildOptions } from '../../eif/build-again.ts';
import { buildAgain } from '../../eif/build-again.ts';
import { hostArchitecture, provideKernel } from '../../eif/provide-kernel.ts';
import { readRecipe } from '../../eif/read-recipe.ts';
import { signerOf } from '../../eif/signer.ts';
import { bold, green, printJson, printLine, progress } from '../../output.ts';
import { untilStopped } from '../../until-signal.ts';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
export const ENTRY_POINTS: EntryPoints = { init: 'supervisor/main.ts', standIn: 'emulator/acra-server/main.ts' };
const DEFAULT_ENCLAVE = 'enclave';
const MAX_ENCRYPTOR_BYTES = 1_048_576;

async function build(options: BuildOptions): Promise<void> {
  const { from } = options;
  await untilStopped((signal) =>
    from === undefined ? buildFromParts(options, signal) : buildAgain(from, options, signal),
  );
}

/** The kernel comes last, for it can take minutes: what is wrong with anything else is known by then. */
async function buildFromParts(options: BuildOptions, signal: AbortSignal): Promise<void> {
  const enclaveFolder = resolve(options.enclave ?? DEFAULT_ENCLAVE);
  const acraServer = await findAcraServer(options);
  const ends = await checkConfiguration(enclaveFolder, acraServer);
  const recipe = readRecipe(options.recipe);
  const signer = await signerOf(options);
  const architecture = hostArchitecture();
  const kernel = await provideKernel(recipe, { architecture, projectFolder: PROJECT, signal });
  const measurements = await buildEnclaveImage({
    name: recipe.name,
    release: RELEASE,
    kernel,
    projectFolder: PROJECT,
    entryPoints: ENTRY_POINTS,
    system: recipe.libraries,
    acraServer,
    allowStandIn: options.allowStandIn === true,
    enclaveFolder,
    compression: recipe.compression,
    memoryMiB: recipe.memoryMiB,
    certificateEnds: ends,
    signer,
    outputFolder: resolve(options.output),
    signal,
    onProgress: progress,
  });
  if (options.json) printJson(measurements);
  else printSummary(measurements, resolve(options.output), recipe);
}

/** What the enclave would refuse at its start, or its clients later, is refused here. */
async function checkConfiguration(folder: string, program: AcraProgram): Promise<readonly CertificateEnd[]> {
  const config = loadConfig(enclaveSchema, join(folder, 'enclave.yaml'));
  const file = join(folder, config.acra.encryptorConfig);
  const encryptorConfig = parseEncryptorConfig(await readSmallFile(file, MAX_ENCRYPTOR_BYTES), file);
  if (program.kind === 'stand-in') requireStandInCan(encryptorConfig, file);
  loadGuardList(config, folder);
  await measuredFolder(folder);
  const nowMs = Date.now();
  const { warnings } = await checkMeasuredFolder({ folder, config, encryptorConfig, nowMs });
  for (const warning of [...guardWarnings(config.guard), ...warnings]) progress(`warning: ${warning}`);
  const ends = certificateEnds(folder, config, nowMs);
  for (const end of ends) if (lifeOf(end, nowMs) !== 'valid') progress(`warning: ${describeEnd(end, nowMs)}`);
  stateRuntime({ config, files: await digestFiles(folder), release: RELEASE });
  return ends;
}

async function findAcraServer({ allowStandIn }: BuildOptions): Promise<AcraProgram> {
  const found = await locateAcraServer({
    environment: process.env,
    cacheFolder: acraCacheFolder(process.env),
    standIn: STAND_IN_COMMAND,
  });
  if (found.kind !== 'stand-in' || allowStandIn === true) return found;
  throw new EifBuildError('EIF_BUILD_STAND_IN', 'no acra-server was found but the stand-in');
}

function printSummary(measurements: Measurements, folder: string, recipe: ImageRecipe): void {
  const { Measurements: pcrs, image, kernel, runtime } = measurements;
  printLine(`${green('built')} ${bold(join(folder, image.file))}, ${image.bytes} bytes`);
  printLine(`sha256 ${image.sha256}`);
  for (const name of ['PCR0', 'PCR1', 'PCR2', 'PCR8'] as const) printLine(`${name}   ${pcrs[name]}`);
  printLine(`PCR16  ${runtime.PCR16}`);
  printLine(`kernel ${kernel.version}, sha256 ${kernel.sha256}`);
  if (recipe.libraries === '/')
    printLine("Node's C and C++ libraries are this machine's: another Debian gives another PCR0 and PCR1");
}

export function buildCommand(): Command {
  return new Command('build')
    .description('Build the enclave image: kernel, runtime, acra-server and the measured folder.')
    .option('-e, --enclave <folder>', 'the measured folder with enclave.yaml (default: "enclave")')
    .option('-o, --output <folder>', 'gets acra-enclave.eif, measurements.json and bom.json', 'build')
    .option('-r, --recipe <file>', 'image.yaml: name, kernel, libraries, compression; default: all defaults')
    .option('--allow-stand-in', 'build with the stand-in when there is no acra-server; it protects nothing')
    .option('--signing-key <file>', 'PEM of the key that signs the image; needs --signing-certificate')
    .option('--signing-certificate <file>', 'PEM of its certificate, then its issuers')
    .option('--from <folder>', 'put an extracted image together again instead; only with --output, --signing-…, --json')
    .option('--json', 'print measurements.json; with --from, name and size of the image and its PCR0')
    .addHelpText('after', '\nThe kernel is built once (about 5 minutes) and kept in the cache of the user.')
    .action(build);
}
