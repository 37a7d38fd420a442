/**
 * Joins kernel, command line, metadata and ramdisks into an image, and writes beside it what is in it and how it will be
 * measured. The inputs are read once: archived, hashed, compressed, measured and written piece by piece.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type BomComponent, type BomRamdisk, encodeBom } from '../bom/cyclonedx.ts';
import { sha256OfFile } from '../bom/file-digest.ts';
import { type BuildRequest, buildImage } from '../build.ts';
import type { Compression } from '../compress.ts';
import type { EifMetadata } from '../format/metadata.ts';
import type { WrittenEif } from '../format/writer.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { measureCertificate } from '../measure.ts';
import { writeOutputFile } from '../output-file.ts';
import { type ContentOptions, gatherContents } from './contents.ts';
import { type Measurements, toMeasurements } from './measurements.ts';
import { writeTogether } from './outputs.ts';
import { AWS_BOOTSTRAP_COMPONENT, cutRamdisks, defaultCompression, type Ramdisk } from './ramdisks.ts';

export const IMAGE_NAME = 'acra-enclave.eif';
const MEASUREMENTS_NAME = 'measurements.json';
const BILL_NAME = 'bom.json';

const TOOL_NAME = 'acra-enclave';
/** Metadata is in the checksum of the file: a real time would make every build another file. */
const BUILD_TIME = '1970-01-01T00:00:00Z';
const KERNEL_KEY = 'kernel';
const UNSIGNED_PCR8 = '0'.repeat(96);

export interface ImageRequest extends Omit<ContentOptions, 'architecture' | 'workFolder'> {
  readonly name: string;
  readonly kernel: Kernel;
  /** Default: what the kernel unpacks best. */
  readonly compression: Compression | undefined;
  readonly signer: BuildRequest['signer'];
  /** Folder of the three results. */
  readonly outputFolder: string;
  readonly signal: AbortSignal;
  /** One line for people at each step. */
  readonly onProgress: (step: string) => void;
}

/**
 * @throws EifBuildError, KernelError, ConfigError, EifError, CpioError: whatever is wrong with any part; the results of an
 * earlier build are then still there
 */
export async function buildEnclaveImage(request: ImageRequest): Promise<Measurements> {
  const names = [IMAGE_NAME, MEASUREMENTS_NAME, BILL_NAME];
  return writeTogether(request.outputFolder, names, (workFolder) => buildInto(workFolder, request));
}

async function buildInto(workFolder: string, request: ImageRequest): Promise<Measurements> {
  const { kernel, signal } = request;
  request.onProgress('gathering files');
  const contents = await gatherContents({ ...request, architecture: kernel.architecture, workFolder });
  const ramdisks = cutRamdisks(contents, kernel, request.compression ?? defaultCompression(kernel));
  const kernelSha256 = await sha256OfFile(kernel.path);
  signal.throwIfAborted();
  request.onProgress('writing the image');
  const image = join(workFolder, IMAGE_NAME);
  const written = await writeImage(image, request, ramdisks);
  const described = await Promise.all(ramdisks.map((ramdisk) => ramdisk.contents));
  const bill = encodeBill(request, [...contents.components, ...kernelComponents(kernel, kernelSha256)], described);
  const measurements = toMeasurements({
    written,
    pcr8: pcr8Of(request),
    imageSha256: await sha256OfFile(image),
    imageName: IMAGE_NAME,
    isSigned: request.signer !== 'unsigned',
    lacks: lacksOf(request),
    kernel,
    kernelSha256,
    ramdisks,
    contents: described,
    billName: BILL_NAME,
    billSha256: createHash('sha256').update(bill).digest('hex'),
  });
  await writeText(join(workFolder, BILL_NAME), bill);
  await writeText(join(workFolder, MEASUREMENTS_NAME), `${JSON.stringify(measurements, null, 2)}\n`);
  return measurements;
}

/** What keeps an image from booting, in words. */
function lacksOf({ entryPoints }: ImageRequest): readonly string[] {
  return entryPoints.init === undefined ? ['no init: this release has no program to run as PID 1'] : [];
}

async function writeImage(output: string, request: ImageRequest, ramdisks: readonly Ramdisk[]): Promise<WrittenEif> {
  const { kernel, signer, signal } = request;
  return buildImage({
    output,
    architecture: kernel.architecture,
    kernelPath: kernel.path,
    cmdline: kernel.cmdline,
    metadata: metadataOf(request),
    ramdisks: ramdisks.map(({ pieces }) => pieces),
    signer,
    signal,
  });
}

function metadataOf({ name, release, kernel }: ImageRequest): EifMetadata {
  return {
    ImageName: name,
    ImageVersion: release,
    BuildMetadata: {
      BuildTime: BUILD_TIME,
      BuildTool: TOOL_NAME,
      BuildToolVersion: release,
      OperatingSystem: 'Linux',
      KernelVersion: kernel.release,
    },
    DockerInfo: null,
    CustomMetadata: null,
  };
}

function kernelComponents({ origin, release, bootstrap }: Kernel, sha256: string): readonly BomComponent[] {
  const { name, version, purl, inputs } = origin;
  const kernel: BomComponent = {
    key: KERNEL_KEY,
    type: 'operating-system',
    name,
    version,
    ...(purl === undefined ? {} : { purl }),
    sha256,
    properties: { release, ...inputs },
  };
  return bootstrap.kind === 'aws' ? [kernel, AWS_BOOTSTRAP_COMPONENT] : [kernel];
}

function encodeBill(
  request: ImageRequest,
  components: readonly BomComponent[],
  ramdisks: readonly BomRamdisk[],
): string {
  const { name, release, kernel } = request;
  const lacks = lacksOf(request);
  const bootable = lacks.length === 0 ? 'yes' : `not bootable: ${lacks.join('; ')}`;
  return encodeBom({
    image: { name, version: release, properties: { bootable, cmdline: kernel.cmdline } },
    tool: { name: TOOL_NAME, version: release },
    components,
    ramdisks,
  });
}

function pcr8Of({ signer }: ImageRequest): string {
  return signer === 'unsigned' ? UNSIGNED_PCR8 : measureCertificate(signer.chain.signer.raw).toString('hex');
}

async function writeText(path: string, text: string): Promise<void> {
  await writeOutputFile(path, (file) => file.write(Buffer.from(text), 0));
}
