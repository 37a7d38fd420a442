/**
 * Joins kernel, command line, metadata and ramdisks into an image, and writes beside it what is in it and how it will be
 * measured. The inputs are read once: archived, hashed, compressed, measured and written piece by piece.
 */
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { stateRuntime } from '../../attestation/runtime/state-runtime.ts';
import { anyEnclaveSchema, isApp } from '../../config/any-enclave.ts';
import { portsOfEnclave } from '../../config/app/app-ports.ts';
import { loadConfig } from '../../config/load.ts';
import { sha256OfFile } from '../../system/files/file-digest.ts';
import type { AppPorts } from '../../wire/app-ports.ts';
import type { CertificateEnd } from '../../wire/certificate-end.ts';
import { type BomComponent, type BomRamdisk, encodeBom } from '../bom/cyclonedx.ts';
import { tapDigest } from '../bom/digest-tap.ts';
import { type BuildRequest, buildImage } from '../build.ts';
import { EifBuildError } from '../build-errors.ts';
import type { CompressionChoice } from '../compress.ts';
import type { EifMetadata } from '../format/metadata.ts';
import type { ByteSource, WrittenEif } from '../format/writer.ts';
import { factsMetadata } from '../image-facts.ts';
import { readFilePieces } from '../input-file.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { measureCertificate } from '../measure.ts';
import { memoryBudget } from '../memory-budget.ts';
import { writeOutputFile } from '../output-file.ts';
import { together } from '../rootfs/content.ts';
import { unpackedBytes } from '../rootfs/unpacked-size.ts';
import { type ContentOptions, gatherContents } from './contents.ts';
import { measuredDigests } from './measured-digests.ts';
import { BILL_NAME, MEASUREMENTS_NAME, type Measurements, toMeasurements } from './measurements.ts';
import { writeTogether } from './outputs.ts';
import { AWS_BOOTSTRAP_COMPONENT, compressionFor, cutRamdisks, type Ramdisk } from './ramdisks.ts';
import { runAhead } from './run-ahead.ts';

export const IMAGE_NAME = 'acra-enclave.eif';

const TOOL_NAME = 'acra-enclave';
/** Metadata is in the checksum of the file: a real time would make every build another file. */
const BUILD_TIME = '1970-01-01T00:00:00Z';
const KERNEL_KEY = 'kernel';
const BILL_PIECE_CHARACTERS = 262_144;
const UNSIGNED_PCR8 = '0'.repeat(96);

export interface ImageRequest extends Omit<ContentOptions, 'architecture' | 'workFolder'> {
  readonly name: string;
  readonly kernel: Kernel;
  /** Default: what the kernel unpacks best. */
  readonly compression: CompressionChoice | undefined;
  /** What the enclave will get. */
  readonly memoryMiB: number;
  /** Of the measured folder; for who has the image only. */
  readonly certificateEnds: readonly CertificateEnd[];
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
  const compression = compressionFor(kernel, request.compression);
  const config = loadConfig(anyEnclaveSchema, join(request.enclaveFolder, 'enclave.yaml'));
  request.onProgress('gathering files');
  const contents = await gatherContents({ ...request, architecture: kernel.architecture, workFolder });
  const unpacked = await unpackedBytes(together(contents.runtime, contents.application));
  requireMemory(unpacked, request);
  const ramdisks = cutRamdisks(contents, kernel, compression);
  signal.throwIfAborted();
  request.onProgress('writing the image');
  const image = join(workFolder, IMAGE_NAME);
  const kernelFile = tapDigest(readFilePieces(kernel.path));
  const ports = isApp(config) ? portsOfEnclave(config) : undefined;
  const metadata = metadataOf(request, unpacked, ports);
  const written = await writeImage(image, request, metadata, kernelFile.pieces, ramdisks);
  const kernelSha256 = await kernelFile.sha256;
  const described = await Promise.all(ramdisks.map((ramdisk) => ramdisk.contents));
  const components = [...(await contents.components), ...kernelComponents(kernel, kernelSha256)];
  const billSha256 = await writeBill(join(workFolder, BILL_NAME), encodeBill(request, components, described));
  const measurements = toMeasurements({
    written,
    pcr8: pcr8Of(request),
    // The header comes first and is known last, and SHA-256 cannot be joined from parts: one more read of the small result.
    imageSha256: await sha256OfFile(image),
    imageName: IMAGE_NAME,
    isSigned: request.signer !== 'unsigned',
    unpackedBytes: unpacked,
    kernel,
    kernelSha256,
    runtime: stateRuntime({ config, files: measuredDigests(described), release: request.release }),
    ramdisks,
    contents: described,
    billName: BILL_NAME,
    billSha256,
  });
  await writeText(join(workFolder, MEASUREMENTS_NAME), `${JSON.stringify(measurements, null, 2)}\n`);
  return measurements;
}

/** A warning is told as it is seen; @throws EifBuildError EIF_BUILD_MEMORY */
function requireMemory(unpacked: number, { memoryMiB, onProgress }: ImageRequest): void {
  const { outcome, found, goodMiB, neededMiB } = memoryBudget(unpacked, memoryMiB);
  if (outcome === 'enough') return;
  if (outcome === 'tight') {
    onProgress(`warning: ${found}; ${goodMiB} MiB would leave room to work in (memoryMiB)`);
    return;
  }
  throw new EifBuildError('EIF_BUILD_MEMORY', 'the image is too large for the memory of its enclave', {
    found,
    allowed: `${neededMiB} MiB at least, ${goodMiB} MiB or more to work well`,
  });
}

async function writeImage(
  output: string,
  request: ImageRequest,
  metadata: EifMetadata,
  kernelPieces: ByteSource,
  ramdisks: readonly Ramdisk[],
): Promise<WrittenEif> {
  const { kernel, signer, signal } = request;
  await using running = new AsyncDisposableStack();
  const areCompressed = ramdisks.every(({ compression }) => compression !== 'none');
  const sources = ramdisks.map(({ role, pieces }, index) =>
    index > 0 && areCompressed
      ? running.use(runAhead(pieces, join(dirname(output), role), signal))
      : { pieces, failed: signal },
  );
  return await buildImage({
    output,
    architecture: kernel.architecture,
    kernel: kernelPieces,
    cmdline: kernel.cmdline,
    metadata,
    ramdisks: sources.map(({ pieces }) => pieces),
    signer,
    signal: AbortSignal.any([signal, ...sources.map(({ failed }) => failed)]),
  });
}

function metadataOf(
  { name, release, kernel, certificateEnds }: ImageRequest,
  unpackedBytes: number,
  app: AppPorts | undefined,
): EifMetadata {
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
    CustomMetadata: factsMetadata({ unpackedBytes, certificateEnds: [...certificateEnds], app }),
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
): Iterable<string> {
  const { name, release, kernel } = request;
  return encodeBom({
    image: { name, version: release, properties: { cmdline: kernel.cmdline } },
    tool: { name: TOOL_NAME, version: release },
    components,
    ramdisks,
  });
}

function pcr8Of({ signer }: ImageRequest): string {
  return signer === 'unsigned' ? UNSIGNED_PCR8 : measureCertificate(signer.chain.signer.raw).toString('hex');
}

/** @returns SHA-256 as hex */
async function writeBill(path: string, texts: Iterable<string>): Promise<string> {
  const hash = createHash('sha256');
  await writeOutputFile(path, async (file) => {
    let [position, gathered] = [0, ''];
    const write = async (): Promise<void> => {
      const bytes = Buffer.from(gathered);
      hash.update(bytes);
      await file.write(bytes, position);
      position += bytes.length;
      gathered = '';
    };
    for (const text of texts) {
      gathered += text;
      if (gathered.length > BILL_PIECE_CHARACTERS) await write();
    }
    await write();
  });
  return hash.digest('hex');
}

async function writeText(path: string, text: string): Promise<void> {
  await writeOutputFile(path, (file) => file.write(Buffer.from(text), 0));
}
