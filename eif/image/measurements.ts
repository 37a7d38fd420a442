/**
 * `measurements.json`: the registers that the image will show in an enclave, in the shape of nitro-cli so that every tool
 * reads them, and the SHA-256 of all that went in, so that a difference can be traced to its cause.
 */
import { z } from 'zod';
import type { StatedRuntime } from '../../attestation/runtime/state-runtime.ts';
import type { RuntimeStatement } from '../../attestation/runtime/statement.ts';
import { APP_FOLDER } from '../../wire/image-layout.ts';
import type { BomRamdisk } from '../bom/cyclonedx.ts';
import { type CompressionChoice, compressionKind, zstdLevel } from '../compress.ts';
import type { WrittenEif } from '../format/writer.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Ramdisk } from './ramdisks.ts';

export const MEASUREMENTS_NAME = 'measurements.json';
/** The bill of materials, which measurements.json names. */
export const BILL_NAME = 'bom.json';

/** How AWS's tools name SHA-384 in their output. */
const HASH_ALGORITHM = 'Sha384 { ... }';

export interface MeasurementsContent {
  readonly written: WrittenEif;
  /** 96 hexadecimal digits; zeros for an unsigned image. */
  readonly pcr8: string;
  /** Of the whole file, as hex. */
  readonly imageSha256: string;
  readonly imageName: string;
  readonly isSigned: boolean;
  /** Of the root file system, in whole pages. */
  readonly unpackedBytes: number;
  readonly kernel: Kernel;
  readonly kernelSha256: string;
  readonly runtime: StatedRuntime;
  readonly ramdisks: readonly Ramdisk[];
  readonly contents: readonly BomRamdisk[];
  readonly billName: string;
  readonly billSha256: string;
}

export interface Measurements {
  readonly Measurements: Readonly<Record<'HashAlgorithm' | 'PCR0' | 'PCR1' | 'PCR2' | 'PCR8', string>>;
  readonly image: {
    readonly file: string;
    readonly bytes: number;
    readonly sha256: string;
    readonly isSigned: boolean;
    /** What the root file system takes of the enclave's memory. */
    readonly unpackedBytes: number;
  };
  /** What the enclave will say of how it runs, and the register that commits it to that. */
  readonly runtime: { readonly statement: RuntimeStatement; readonly PCR16: string };
  readonly kernel: {
    readonly release: string;
    readonly version: string;
    readonly sha256: string;
    readonly cmdline: string;
    readonly inputs: Readonly<Record<string, string>>;
  };
  readonly ramdisks: readonly {
    readonly role: string;
    readonly compression: string;
    /** Of zstd only. */
    readonly level?: number;
    readonly bytes: number;
    /**
     * SHA-256 of each file, by its path in the ramdisk. Without those of an application: container images have tens of thousands, and
     * whoever verifies or writes a policy reads this file whole. The bill of materials has them, whose digest stands below.
     */
    readonly files: Readonly<Record<string, string>>;
  }[];
  readonly billOfMaterials: { readonly file: string; readonly sha256: string };
}

export function toMeasurements(content: MeasurementsContent): Measurements {
  const { written, kernel } = content;
  const { pcr0, pcr1, pcr2 } = written.measurements;
  const sizes = written.sections.filter(({ kind }) => kind === 'ramdisk').map(({ size }) => size);
  return {
    Measurements: {
      HashAlgorithm: HASH_ALGORITHM,
      PCR0: pcr0.toString('hex'),
      PCR1: pcr1.toString('hex'),
      PCR2: pcr2.toString('hex'),
      PCR8: content.pcr8,
    },
    image: {
      file: content.imageName,
      bytes: written.fileSize,
      sha256: content.imageSha256,
      isSigned: content.isSigned,
      unpackedBytes: content.unpackedBytes,
    },
    runtime: { statement: content.runtime.statement, PCR16: content.runtime.pcr16.toString('hex') },
    kernel: {
      release: kernel.release,
      version: kernel.origin.version,
      sha256: content.kernelSha256,
      cmdline: kernel.cmdline,
      inputs: kernel.origin.inputs,
    },
    ramdisks: content.ramdisks.map(({ role, compression }, index) => ({
      role,
      ...describeCompression(compression),
      bytes: sizes[index] ?? 0,
      files: digestsOf(content.contents[index]),
    })),
    billOfMaterials: { file: content.billName, sha256: content.billSha256 },
  };
}

function describeCompression(choice: CompressionChoice): { readonly compression: string; readonly level?: number } {
  const level = zstdLevel(choice);
  return { compression: compressionKind(choice), ...(level === undefined ? {} : { level }) };
}

/** AWS's bootstrap has all below a folder of its own. */
const OF_APPLICATION = new RegExp(`^(?:rootfs/)?${APP_FOLDER}/`);

function digestsOf(ramdisk: BomRamdisk | undefined): Readonly<Record<string, string>> {
  const files = (ramdisk?.entries ?? []).flatMap(({ name, sha256 }): [string, string][] =>
    sha256 === undefined || OF_APPLICATION.test(name) ? [] : [[`/${name}`, sha256]],
  );
  return Object.fromEntries(files);
}

/** What a signature changes, and what tells whose measurements they are; all else stays as it is, in its place. */
const signedPart = z.looseObject({
  Measurements: z.looseObject({
    HashAlgorithm: z.string(),
    PCR0: z.string(),
    PCR1: z.string(),
    PCR2: z.string(),
    PCR8: z.string(),
  }),
  image: z.looseObject({ file: z.string(), bytes: z.number(), sha256: z.string(), isSigned: z.boolean() }),
});

/** The name of the image that `text` describes; undefined when it is no measurements.json of ours. */
export function describedImage(text: string): string | undefined {
  return parseSignedPart(text)?.image.file;
}

/** An image as it lies in its file now. */
export interface SignedImage {
  /** Hexadecimal. */
  readonly pcrs: Readonly<Record<'PCR0' | 'PCR1' | 'PCR2' | 'PCR8', string>>;
  readonly bytes: number;
  /** Of the whole file, as hex. */
  readonly sha256: string;
  readonly isSigned: boolean;
}

/** `text` with what the image's signature changed; undefined when it measures other contents. */
export function withSignature(text: string, { pcrs, ...image }: SignedImage): string | undefined {
  const before = parseSignedPart(text);
  if (before === undefined) return undefined;
  const isSame = (['PCR0', 'PCR1', 'PCR2'] as const).every((name) => before.Measurements[name] === pcrs[name]);
  if (!isSame) return undefined;
  return `${JSON.stringify(
    {
      ...before,
      Measurements: { ...before.Measurements, PCR8: pcrs.PCR8 },
      image: { ...before.image, ...image },
    },
    null,
    2,
  )}\n`;
}

function parseSignedPart(text: string): z.infer<typeof signedPart> | undefined {
  try {
    return signedPart.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
