/**
 * Reads the PCR values that somebody expects of an image: what nitro-cli and this tool print (`{"Measurements": {…}}`), or
 * the plain object inside.
 */
import { z } from 'zod';
import { EifError } from './errors.ts';
import { readSmallFile } from './input-file.ts';

const MAX_FILE_BYTES = 1_048_576;
const MEASURED = ['PCR0', 'PCR1', 'PCR2', 'PCR8'] as const;
export type MeasuredPcr = (typeof MEASURED)[number];

/** Lower-case hexadecimal, 96 digits. At least one is there. */
export type ExpectedPcrs = Readonly<Partial<Record<MeasuredPcr, string>>>;

const value = z
  .string()
  .regex(/^[0-9a-fA-F]{96}$/, 'must be 96 hexadecimal digits')
  .transform((hex) => hex.toLowerCase());
const pcrs = z
  .object({ PCR0: value.optional(), PCR1: value.optional(), PCR2: value.optional(), PCR8: value.optional() })
  .refine((found) => MEASURED.some((name) => found[name] !== undefined), 'names none of PCR0, PCR1, PCR2, PCR8');

/** @throws EifError EIF_FILE_READ, EIF_PCR_FILE_INVALID */
export async function readExpectedPcrs(path: string): Promise<ExpectedPcrs> {
  return parseExpectedPcrs(await readSmallFile(path, MAX_FILE_BYTES));
}

/** @throws EifError EIF_PCR_FILE_INVALID */
export function parseExpectedPcrs(bytes: Buffer): ExpectedPcrs {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString());
  } catch (cause) {
    throw new EifError('EIF_PCR_FILE_INVALID', 'the expected PCRs are not JSON', { cause });
  }
  const parsed = pcrs.safeParse(unwrap(json));
  if (!parsed.success) {
    throw new EifError('EIF_PCR_FILE_INVALID', 'the expected PCRs are malformed', {
      found: z.prettifyError(parsed.error),
    });
  }
  const named = MEASURED.map((name) => [name, parsed.data[name]] as const);
  return Object.fromEntries(named.filter(([, hex]) => hex !== undefined));
}

function unwrap(json: unknown): unknown {
  return typeof json === 'object' && json !== null && 'Measurements' in json ? json.Measurements : json;
}
