/** Puts an extracted image together again: as it was, or with another signature. */
import { access, mkdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { ImageSigner } from '../../eif/build.ts';
import { buildFromManifest } from '../../eif/extract.ts';
import type { WrittenEif } from '../../eif/format/writer.ts';
import { IMAGE_NAME } from '../../eif/image/build-image.ts';
import { BILL_NAME, MEASUREMENTS_NAME } from '../../eif/image/measurements.ts';
import { writeTogether } from '../../eif/image/outputs.ts';
import { MANIFEST_NAME } from '../../eif/image-manifest.ts';
import { signImage } from '../../eif/sign/sign.ts';
import { CliError } from '../errors.ts';
import { bold, green, printJson, printLine } from '../output.ts';
import type { ContainerOptions } from './container-application.ts';
import { putImage } from './put-image.ts';
import { type SignerOptions, signerOf } from './signer.ts';

/** Of both ways to build. */
export interface BuildOptions extends SignerOptions, ContainerOptions {
  /** Default: `enclave`. */
  readonly enclave?: string;
  readonly output: string;
  readonly recipe?: string;
  readonly allowStandIn?: boolean;
  readonly from?: string;
  readonly json?: boolean;
}

/** @throws CliError CLI_OPTION, and those of putImage, buildFromManifest and signImage; nothing is written then */
export async function buildAgain(parts: string, options: BuildOptions, signal: AbortSignal): Promise<void> {
  refuseOptionsOfABuild(options);
  const signer = await signerOf(options);
  const folder = resolve(options.output);
  await refuseForeignBill(folder);
  await mkdir(folder, { recursive: true });
  const image = join(folder, IMAGE_NAME);
  const manifest = join(resolve(parts), MANIFEST_NAME);
  const { written, remeasured } = await putImage(image, (path) =>
    signer === 'unsigned' ? buildFromManifest(manifest, path, signal) : buildSigned(manifest, path, signer, signal),
  );
  const { fileSize, measurements } = written;
  if (options.json) printJson({ file: image, bytes: fileSize, PCR0: measurements.pcr0.toString('hex') });
  else {
    printLine(`${green('built')} ${bold(image)}, ${fileSize} bytes`);
    if (remeasured !== undefined) printLine(`${green('updated')} ${remeasured}`);
  }
}

/** They would change nothing, and whoever gave one expects that they do. */
function refuseOptionsOfABuild({ enclave, recipe, allowStandIn, ...container }: BuildOptions): void {
  const options = {
    '--enclave': enclave,
    '--recipe': recipe,
    '--allow-stand-in': allowStandIn,
    '--image': container.image,
    '--closure': container.closure,
    '--setuid': container.setuid,
    '--update-lock': container.updateLock,
  };
  const given = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (given.length === 0) return;
  throw new CliError('CLI_OPTION', '--from takes contents, kernel and name from the extracted image', {
    found: given.join(', '),
    allowed: '--output, --signing-key with --signing-certificate, --json',
  });
}

/** Without its measurements.json nobody can tell whether a bill of materials is of the image that is about to come. */
async function refuseForeignBill(folder: string): Promise<void> {
  const bill = join(folder, BILL_NAME);
  if (!(await isThere(bill)) || (await isThere(join(folder, MEASUREMENTS_NAME)))) return;
  throw new CliError('CLI_OPTION', `${bill} is of another build`, { allowed: 'a folder without it' });
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function buildSigned(
  manifest: string,
  path: string,
  signer: ImageSigner,
  signal: AbortSignal,
): Promise<WrittenEif> {
  const name = basename(path);
  return writeTogether(dirname(path), [name], async (workFolder) => {
    const input = join(workFolder, 'as-extracted.eif');
    await buildFromManifest(manifest, input, signal);
    const { key, chain, nowMs } = signer;
    return signImage({ input, output: join(workFolder, name), chain, nowMs, signal }, key);
  });
}
