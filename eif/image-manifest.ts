/**
 * `manifest.json` of an extracted image: which file becomes which section. Building from it gives the image back to the bit,
 * for what the format leaves open (architecture, defaults, signature) is in it too.
 */
import { z } from 'zod';
import { EifError } from './errors.ts';
import { readSmallFile } from './input-file.ts';

export const MANIFEST_NAME = 'manifest.json';
const MAX_MANIFEST_BYTES = 65_536;
const MAX_U64 = 0xffff_ffff_ffff_ffffn;

/** A file in the folder of the manifest itself. */
const fileName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/);
/** Decimal, for JSON numbers are too small. */
const unsigned64 = z
  .string()
  .regex(/^\d{1,20}$/)
  .transform((digits) => BigInt(digits))
  .refine((value) => value <= MAX_U64);

const manifestSchema = z.strictObject({
  format: z.literal('acra-enclave-image-1'),
  architecture: z.enum(['x86_64', 'aarch64']),
  defaultMemBytes: unsigned64,
  defaultCpus: unsigned64,
  kernel: fileName,
  cmdline: fileName,
  metadata: fileName,
  ramdisks: z.array(fileName),
  signature: fileName.optional(),
});

type ImageManifest = z.output<typeof manifestSchema>;

/** JSON that parses to the same manifest. */
export function encodeManifest(manifest: Omit<ImageManifest, 'format'>): string {
  const text = {
    ...manifest,
    defaultMemBytes: String(manifest.defaultMemBytes),
    defaultCpus: String(manifest.defaultCpus),
  };
  return `${JSON.stringify({ format: 'acra-enclave-image-1', ...text }, null, 2)}\n`;
}

/** @throws EifError EIF_FILE_READ, EIF_MANIFEST_INVALID */
export async function readManifest(path: string): Promise<ImageManifest> {
  const bytes = await readSmallFile(path, MAX_MANIFEST_BYTES);
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString());
  } catch (cause) {
    throw new EifError('EIF_MANIFEST_INVALID', `${path} is not JSON`, { cause });
  }
  const parsed = manifestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new EifError('EIF_MANIFEST_INVALID', `${path} is malformed`, { found: z.prettifyError(parsed.error) });
}
