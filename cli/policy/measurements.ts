/**
 * Reads what somebody expects of an enclave from a file: the registers of an image, and PCR16 with the runtime statement behind it
 * (`"runtime": {"statement": {…}, "PCR16": "…"}` of measurements.json). The one place where the policy commands read such files.
 */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { ExpectedMeasurements } from '../../attestation/expected.ts';
import {
  COMMITMENT_PCR,
  commitmentTo,
  encodeStatement,
  pcrOfCommitment,
  runtimeStatement,
} from '../../attestation/runtime/statement.ts';
import { EifError } from '../../eif/errors.ts';
import { parseExpectedPcrs, parsePcrJson } from '../../eif/expected-pcrs.ts';
import { readSmallFile } from '../../eif/input-file.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import { readExpectedMeasurements } from '../measurements/files.ts';

const MAX_FILE_BYTES = 1_048_576;

const withRuntime = z.object({
  runtime: z.object({ statement: runtimeStatement, PCR16: z.string().regex(/^[0-9a-fA-F]{96}$/) }),
});

/** nitro-cli's own output has none, and neither have older images. */
function readRuntime(bytes: Buffer): z.output<typeof withRuntime>['runtime'] | undefined {
  const json = parsePcrJson(bytes);
  if (typeof json !== 'object' || json === null || !('runtime' in json)) return undefined;
  const parsed = withRuntime.safeParse(json);
  if (parsed.success) return parsed.data.runtime;
  throw new EifError('EIF_PCR_FILE_INVALID', 'the runtime statement of the measurements is malformed', {
    found: z.prettifyError(parsed.error),
  });
}

export interface SignatureOptions {
  /** Paths of public keys that must have signed the measurements. */
  readonly require?: readonly string[];
  /** Milliseconds since they were issued. */
  readonly measurementsMaxAge?: number;
}

function isSigned(bytes: Buffer): boolean {
  try {
    const json: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof json === 'object' && json !== null && 'payloadType' in json;
  } catch {
    return false;
  }
}

/** @throws EifError EIF_FILE_READ, EIF_PCR_FILE_INVALID; MeasurementsError for signed ones, and for a file that should be signed */
export async function readMeasurements(path: string, signatures: SignatureOptions = {}): Promise<ExpectedMeasurements> {
  const bytes = await readSmallFile(path, MAX_FILE_BYTES);
  const { require = [], measurementsMaxAge: maxAgeMs } = signatures;
  if (isSigned(bytes) || require.length > 0 || maxAgeMs !== undefined) {
    return readExpectedMeasurements(path, { require, maxAgeMs, nowMs: Date.now() });
  }
  const named = Object.entries(parseExpectedPcrs(bytes));
  const pcrs = new Map(
    named.map(([name, hex]) => [toPcrIndex(Number(name.slice('PCR'.length))), Buffer.from(hex, 'hex')]),
  );
  const runtime = readRuntime(bytes);
  if (runtime === undefined) return { pcrs };
  const { statement, PCR16 } = runtime;
  const value = pcrOfCommitment(commitmentTo(encodeStatement(statement)));
  if (!isDeepStrictEqual(value, Buffer.from(PCR16, 'hex'))) {
    throw new EifError(
      'EIF_PCR_FILE_INVALID',
      `PCR16 of ${path} does not follow from the runtime statement beside it`,
      {
        found: PCR16,
        allowed: value.toString('hex'),
      },
    );
  }
  return { pcrs: new Map([...pcrs, [COMMITMENT_PCR, value]]), statement };
}
