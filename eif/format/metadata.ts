/**
 * The metadata section: JSON about who built the image and from what. It is in the checksum but in no PCR, so nobody may
 * trust it; a fixed BuildTime keeps images equal to the bit. Specification: nitro-formats 3.1, "Metadata section".
 */
import { z } from 'zod';
import { EifError } from '../errors.ts';
import { checkSectionSize } from './section.ts';

const jsonObject = z.record(z.string(), z.unknown());

const metadataSchema = z.object({
  ImageName: z.string(),
  ImageVersion: z.string(),
  BuildMetadata: z.object({
    /** RFC 3339. */
    BuildTime: z.iso.datetime({ offset: true }),
    BuildTool: z.string(),
    BuildToolVersion: z.string(),
    OperatingSystem: z.string(),
    KernelVersion: z.string(),
  }),
  DockerInfo: jsonObject.nullable(),
  CustomMetadata: jsonObject.nullable().default(null),
});

export type EifMetadata = z.infer<typeof metadataSchema>;

const utf8 = new TextDecoder('utf-8', { fatal: true });

function invalid(message: string, offset: number, cause?: unknown): EifError {
  return new EifError('EIF_METADATA_INVALID', message, { offset, cause });
}

/**
 * Keys that the format does not name are left out of the result.
 * @param offset where the section's data starts in the file, for errors
 * @throws EifError EIF_METADATA_INVALID
 */
export function parseMetadata(bytes: Uint8Array, offset = 0): EifMetadata {
  let json: unknown;
  try {
    json = JSON.parse(utf8.decode(bytes));
  } catch (cause) {
    throw invalid('metadata is not JSON in UTF-8', offset, cause);
  }
  const parsed = metadataSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const paths = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the whole'}: ${issue.message}`);
  throw invalid(`metadata breaks the format: ${paths.join('; ')}`, offset);
}

/**
 * Compact JSON with the keys of the format in AWS's order; those inside DockerInfo and CustomMetadata stay as given.
 * @throws EifError EIF_METADATA_INVALID, EIF_SECTION_TOO_LARGE
 */
export function encodeMetadata(metadata: EifMetadata): Buffer {
  const parsed = metadataSchema.safeParse(metadata);
  if (!parsed.success) throw invalid(`metadata breaks the format: ${z.prettifyError(parsed.error)}`, 0);
  const bytes = Buffer.from(JSON.stringify(parsed.data));
  checkSectionSize('metadata', bytes.length);
  return bytes;
}
