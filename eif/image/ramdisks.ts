/**
 * Cuts the contents of an image into its two ramdisks. With our own kernel the first holds the runtime and the second the
 * application; with nitro-cli's kernel the first is AWS's bootstrap and everything of ours lies in the second, below the
 * folder that AWS's init changes root to. Specification: nitro-formats 3.2-3.4; decision 8.
 */

import { INIT_PATH, NODE_PATH } from '../../wire/image-layout.ts';
import { tapArchive } from '../bom/archive-tap.ts';
import type { BomComponent, BomRamdisk } from '../bom/cyclonedx.ts';
import { EifBuildError } from '../build-errors.ts';
import { type CompressionChoice, compress, compressionKind } from '../compress.ts';
import { writeBootstrapRamdisk } from '../cpio/bootstrap.ts';
import { writeCpio } from '../cpio/writer.ts';
import type { ByteSource } from '../format/writer.ts';
import type { AwsBootstrap, Kernel } from '../kernel/kernel.ts';
import { OWN_COMPONENT } from '../rootfs/bundle.ts';
import { below, FILE_MODE, type RamdiskContent, type RootfsFile, toCpioItems, together } from '../rootfs/content.ts';
import type { ImageContents } from './contents.ts';

export interface Ramdisk {
  readonly role: 'runtime' | 'application' | 'bootstrap' | 'customer';
  readonly compression: CompressionChoice;
  /** As it goes into the image; to be read once. */
  readonly pieces: ByteSource;
  /** Settles when `pieces` has been read. */
  readonly contents: Promise<BomRamdisk>;
}

/** Where AWS's init finds the root file system. */
const AWS_ROOT = 'rootfs';
const AWS_BOOTSTRAP_KEY = 'nitro-cli-bootstrap';

export const AWS_BOOTSTRAP_COMPONENT: BomComponent = {
  key: AWS_BOOTSTRAP_KEY,
  type: 'application',
  name: 'bootstrap of nitro-cli',
  version: undefined,
};

/** Linux unpacks ramdisks of zstd since then (CONFIG_RD_ZSTD); nitro-cli's kernel is 4.14. */
const FIRST_WITH_ZSTD = [5, 9] as const;

/**
 * What is wanted if the kernel can unpack it, and by default what it unpacks best.
 * @throws EifBuildError EIF_BUILD_COMPRESSION: no such image would boot
 */
export function compressionFor(
  { bootstrap, release }: Kernel,
  wanted: CompressionChoice | undefined,
): CompressionChoice {
  const choice = wanted ?? (bootstrap.kind === 'aws' ? 'none' : 'zstd');
  if (compressionKind(choice) !== 'zstd' || knowsZstd(release)) return choice;
  throw new EifBuildError('EIF_BUILD_COMPRESSION', 'the kernel cannot unpack ramdisks that zstd compressed', {
    found: `Linux ${release}`,
    allowed: `Linux ${FIRST_WITH_ZSTD.join('.')} or later`,
  });
}

/** A release that nobody knows gets the benefit of the doubt. */
function knowsZstd(release: string): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release)?.map(Number) ?? [];
  if (major === undefined || minor === undefined) return true;
  const [firstMajor, firstMinor] = FIRST_WITH_ZSTD;
  return major > firstMajor || (major === firstMajor && minor >= firstMinor);
}

/** @throws EifBuildError EIF_BUILD_NAME_CONFLICT */
export function cutRamdisks(
  contents: ImageContents,
  kernel: Kernel,
  compression: CompressionChoice,
): readonly Ramdisk[] {
  const { runtime, application } = contents;
  if (kernel.bootstrap.kind === 'aws') {
    const everything = below(AWS_ROOT, together(runtime, application));
    const customer = together(everything, { files: awsCommand(), folders: [] });
    return [awsBootstrap(kernel.bootstrap), ourRamdisk('customer', customer, compression)];
  }
  return [ourRamdisk('runtime', runtime, compression), ourRamdisk('application', application, compression)];
}

function ourRamdisk(role: Ramdisk['role'], content: RamdiskContent, compression: CompressionChoice): Ramdisk {
  const componentOf = new Map(content.files.map(({ name, component }) => [name, component]));
  return ramdisk(role, writeCpio(toCpioItems(content), 'sorted'), componentOf, compression);
}

/** Uncompressed, as nitro-cli builds it: only then is PCR1 the one of its release. */
function awsBootstrap({ init, nsmModule }: AwsBootstrap): Ramdisk {
  const componentOf = new Map(['init', 'nsm.ko'].map((name) => [name, AWS_BOOTSTRAP_KEY]));
  const archive = writeBootstrapRamdisk({ init: { path: init }, nsmModule: { path: nsmModule } });
  return ramdisk('bootstrap', archive, componentOf, 'none');
}

function ramdisk(
  role: Ramdisk['role'],
  archive: ByteSource,
  componentOf: ReadonlyMap<string, string>,
  compression: CompressionChoice,
): Ramdisk {
  const { pieces, entries } = tapArchive(archive);
  const contents = entries.then((list) => ({ entries: list, componentOf }));
  contents.catch(() => undefined);
  return { role, compression, pieces: whenRead(() => compress(pieces, compression)), contents };
}

/** A compressor takes its memory when it is made, and only one is at work at a time. */
async function* whenRead(make: () => ByteSource): AsyncGenerator<Uint8Array, void> {
  yield* make();
}

/** One argument a line; an empty environment makes AWS's init use its own (nitro-formats 3.3, 3.4 step 10). */
function awsCommand(): readonly RootfsFile[] {
  const file = (name: string, text: string): RootfsFile => ({
    name,
    mode: FILE_MODE,
    source: { bytes: Buffer.from(text) },
    component: OWN_COMPONENT,
  });
  return [file('cmd', `/${NODE_PATH}\n/${INIT_PATH}\n`), file('env', '')];
}
