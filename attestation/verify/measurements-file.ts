/**
 * Reads measurements.json, as `eif build` writes it: the registers of an image, and the runtime statement that its enclave commits to.
 * What nitro-cli prints of one image is read as well; it has no statement. Nothing here says who made the file.
 *
 *   { "Measurements": { "PCR0": hex, … }, "runtime": { "statement": { … }, "PCR16": hex } }
 */
import { z } from 'zod';
import { wrapFormatError } from '../../encoding/format-error.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import { AttestationError } from '../errors.ts';
import type { ExpectedMeasurements } from '../expected.ts';
import { commitmentTo, encodeStatement, pcrOfCommitment, runtimeStatement } from '../runtime/statement.ts';

const register = z.string().regex(/^[0-9a-fA-F]{96}$/, 'must be 96 hexadecimal digits');
const file = z.object({
  Measurements: z.record(z.string(), z.string()),
  runtime: z.strictObject({ statement: runtimeStatement, PCR16: register }).optional(),
});

/** Members beside them, such as `HashAlgorithm`, are none of ours. */
const REGISTER_NAME = /^PCR(0|[1-9]\d?)$/;

function readRegisters(measurements: Readonly<Record<string, string>>): ExpectedMeasurements['pcrs'] {
  const pcrs = new Map<ReturnType<typeof toPcrIndex>, Buffer>();
  for (const [name, value] of Object.entries(measurements)) {
    const index = REGISTER_NAME.exec(name)?.[1];
    if (index === undefined) continue;
    const hex = register.safeParse(value);
    if (!hex.success || Number(index) > 31) throw invalid(`${name} is no register of 96 hexadecimal digits`);
    pcrs.set(toPcrIndex(Number(index)), Buffer.from(hex.data, 'hex'));
  }
  return pcrs;
}

function invalid(message: string, found?: string): AttestationError {
  return new AttestationError('ATTESTATION_POLICY_INVALID', message, found === undefined ? {} : { found });
}

/**
 * @param text JSON
 * @throws AttestationError ATTESTATION_POLICY_INVALID when it is something else, or says two things of PCR16
 */
export function parseMeasurements(text: string): ExpectedMeasurements {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new AttestationError('ATTESTATION_POLICY_INVALID', 'the measurements are not JSON', { cause });
  }
  const parsed = file.safeParse(json);
  if (!parsed.success) throw invalid('the measurements are malformed', z.prettifyError(parsed.error));
  const { Measurements, runtime } = parsed.data;
  const pcrs = readRegisters(Measurements);
  if (runtime === undefined) return { pcrs };
  const { statement, PCR16 } = runtime;
  const encoding = wrapFormatError(
    () => encodeStatement(statement),
    (cause) => new AttestationError('ATTESTATION_POLICY_INVALID', 'the statement cannot be written', { cause }),
  );
  const computed = pcrOfCommitment(commitmentTo(encoding)).toString('hex');
  if (computed === PCR16.toLowerCase()) return { pcrs, statement };
  throw new AttestationError(
    'ATTESTATION_POLICY_INVALID',
    'PCR16 of the measurements does not follow from their statement',
    {
      found: PCR16,
      allowed: computed,
    },
  );
}
