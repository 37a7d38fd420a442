/**
 * Reads the PCR values that somebody expects of an image: measurements.json; what nitro-cli prints of an image
 * (build-enclave, describe-eif: `{"Measurements": {…}}`) or of running enclaves (describe-enclaves: a list of these); or the plain
 * object inside. With the lines that build-enclave prints before, and in the encodings that redirections on Windows write.
 */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { parseUniqueJson } from '../encoding/unique-json.ts';
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

/** The document alone, whatever tool and terminal wrote the file. @throws EifError EIF_PCR_FILE_INVALID */
export function parsePcrJson(bytes: Buffer): unknown {
  try {
    return parseUniqueJson(withoutPrelude(decode(bytes)));
  } catch (cause) {
    throw new EifError('EIF_PCR_FILE_INVALID', 'the expected PCRs are not JSON that all readers understand alike', {
      cause,
    });
  }
}

/** @throws EifError EIF_PCR_FILE_INVALID */
export function parseExpectedPcrs(bytes: Buffer): ExpectedPcrs {
  const json = parsePcrJson(bytes);
  const measured = Array.isArray(json) ? json.map(parseMeasured) : [parseMeasured(json)];
  const [first, ...others] = measured;
  if (first === undefined)
    throw new EifError('EIF_PCR_FILE_INVALID', 'the list of enclaves is empty: none was running');
  if (others.every((each) => isDeepStrictEqual(each, first))) return first;
  throw new EifError('EIF_PCR_FILE_INVALID', 'the list holds enclaves of different measurements', {
    found: `${measured.length} enclaves`,
    allowed: 'one enclave, or several of one image',
  });
}

function parseMeasured(json: unknown): ExpectedPcrs {
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

/** UTF-8, or UTF-16 when its mark says so; a mark is no part of the text. */
function decode(bytes: Buffer): string {
  const [first, second] = bytes;
  const isBigEndian = first === 0xfe && second === 0xff;
  const encoding = isBigEndian ? 'utf-16be' : first === 0xff && second === 0xfe ? 'utf-16le' : 'utf-8';
  return new TextDecoder(encoding, { fatal: true }).decode(bytes);
}

/** nitro-cli says what it is doing before it prints the document. */
function withoutPrelude(text: string): string {
  const start = text.search(/^\s*[{[]/m);
  return start === -1 ? text : text.slice(start);
}
