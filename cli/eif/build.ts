/** Builds an image from the measured folder, or puts an extracted one together again. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEncryptorConfig } from '../../acra/encryptor-config/lint.ts';
import { locateAcraServer } from '../../acra/obtain/locate.ts';
import { enclaveSchema } from '../../config/enclave.ts';
import { loadConfig } from '../../config/load.ts';
import type { BuildRequest } from '../../eif/build.ts';
import { buildFromManifest } from '../../eif/extract.ts';
import { buildEnclaveImage, IMAGE_NAME } from '../../eif/image/build-image.ts';
import type { EntryPoints } from '../../eif/image/contents.ts';
import type { Measurements } from '../../eif/image/measurements.ts';
import type { ImageRecipe } from '../../eif/image/recipe.ts';
import { MANIFEST_NAME } from '../../eif/image-manifest.ts';
import { readSmallFile } from '../../eif/input-file.ts';
import { readCertificateChain } from '../../eif/sign/certificate.ts';
import { readSigningKey } from '../../eif/sign/key.ts';
import { RELEASE } from '../../runtime/release.ts';
import { acraCacheFolder } from '../acra-cache.ts';
import { CliError } from '../errors.ts';
import { bold, green, printJson, printLine, progress } from '../output.ts';
import { watchStopSignals } from '../until-signal.ts';
import { hostArchitecture, provideKernel } from './kernel.ts';
import { readRecipe } from './recipe.ts';

export interface BuildOptions {
  readonly enclave: string;
  readonly output: string;
  readonly recipe?: string;
  readonly allowStandIn?: boolean;
  readonly signingKey?: string;
  readonly signingCertificate?: string;
  readonly from?: string;
  readonly json?: boolean;
}

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
export const ENTRY_POINTS: EntryPoints = { init: 'supervisor/main.ts', standIn: 'acra/stand-in/main.ts' };
const MAX_ENCRYPTOR_BYTES = 1_048_576;

export async function build(options: BuildOptions): Promise<void> {
  const stop = watchStopSignals();
  try {
    if (options.from === undefined) await buildFromParts(options, stop.signal);
    else await buildAgain(options.from, options, stop.signal);
  } finally {
    stop.dispose();
  }
}

async function buildFromParts(options: BuildOptions, signal: AbortSignal): Promise<void> {
  const enclaveFolder = resolve(options.enclave);
  await checkConfiguration(enclaveFolder);
  const recipe = readRecipe(options.recipe);
  const signer = await signerOf(options);
  const architecture = hostArchitecture();
  const acraServer = await locateAcraServer({ environment: process.env, cacheFolder: acraCacheFolder(process.env) });
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
    signer,
    outputFolder: resolve(options.output),
    signal,
    onProgress: progress,
  });
  if (options.json) printJson(measurements);
  else printSummary(measurements, resolve(options.output), recipe);
}

/** What the enclave would refuse at its start is refused here. */
async function checkConfiguration(folder: string): Promise<void> {
  const { acra } = loadConfig(enclaveSchema, join(folder, 'enclave.yaml'));
  const file = join(folder, acra.encryptorConfig);
  parseEncryptorConfig((await readSmallFile(file, MAX_ENCRYPTOR_BYTES)).toString('utf8'), file);
}

async function signerOf(options: BuildOptions): Promise<BuildRequest['signer']> {
  const { signingKey, signingCertificate } = options;
  if (signingKey === undefined && signingCertificate === undefined) return 'unsigned';
  if (signingKey === undefined || signingCertificate === undefined) {
    throw new CliError('CLI_OPTION', 'signing needs both a key and its certificate', {
      allowed: '--signing-key and --signing-certificate together',
    });
  }
  const chain = await readCertificateChain(resolve(signingCertificate));
  return { key: await readSigningKey(resolve(signingKey)), chain, nowMs: Date.now() };
}

function printSummary({ Measurements: pcrs, image, kernel }: Measurements, folder: string, recipe: ImageRecipe): void {
  printLine(`${green('built')} ${bold(join(folder, image.file))}, ${image.bytes} bytes`);
  printLine(`sha256 ${image.sha256}`);
  for (const name of ['PCR0', 'PCR1', 'PCR2', 'PCR8'] as const) printLine(`${name}   ${pcrs[name]}`);
  printLine(`kernel ${kernel.version}, sha256 ${kernel.sha256}`);
  if (recipe.libraries === '/')
    printLine("Node's C and C++ libraries are this machine's: another Debian gives another PCR0 and PCR1");
}

async function buildAgain(folder: string, { output, json }: BuildOptions, signal: AbortSignal): Promise<void> {
  await mkdir(resolve(output), { recursive: true });
  const image = join(resolve(output), IMAGE_NAME);
  const { fileSize, measurements } = await buildFromManifest(join(resolve(folder), MANIFEST_NAME), image, signal);
  if (json) printJson({ file: image, bytes: fileSize, PCR0: measurements.pcr0.toString('hex') });
  else printLine(`${green('built')} ${bold(image)}, ${fileSize} bytes`);
}
