/**
 * Reads measurements that somebody published, and judges them by what the reader demands: whose signatures, and how old they may be.
 * A plain measurements.json is read as well where nothing is demanded. Each demand is a claim of its own in the report.
 */
import { parseUniqueJson } from '../../encoding/unique-json.ts';
import type { ExpectedMeasurements } from '../expected.ts';
import type { MeasurementsContent } from './content.ts';
import type { Envelope } from './envelope.ts';
import { PAYLOAD_TYPE, parseEnvelope, signatureState } from './envelope.ts';
import { MeasurementsError, type MeasurementsErrorCode } from './errors.ts';
import { requireDistinct, type VerifyingKey } from './keys.ts';
import { parseMeasurementsJson } from './measurements-json.ts';
import { decodeSigned, type SignedMeasurements, timestamp } from './statement.ts';

/** Bytes of a file; a measurements.json lists each file of the image. */
export const MAX_MEASUREMENTS_BYTES = 1024 * 1024;
/** How far the clock of a signer may be ahead of ours. */
const MAX_SKEW_MS = 5 * 60_000;

export type PublishedFile =
  | { readonly kind: 'plain'; readonly content: MeasurementsContent }
  | { readonly kind: 'signed'; readonly content: SignedMeasurements; readonly envelope: Envelope };

export interface PublishedDemands {
  /** Each of them must have signed. */
  readonly require: readonly VerifyingKey[];
  /** Since they were issued; undefined: as long as they are valid. */
  readonly maxAgeMs: number | undefined;
  readonly nowMs: number;
}

export interface PublishedClaim {
  readonly name: 'signature' | 'validity' | 'age';
  readonly status: 'pass' | 'fail' | 'not run';
  /** For people. */
  readonly detail: string;
  /** Of a claim that fails. */
  readonly error?: MeasurementsError;
}

export interface PublishedReport {
  readonly file: PublishedFile;
  readonly claims: readonly PublishedClaim[];
}

/**
 * Nothing is verified here.
 * @throws MeasurementsError MEASUREMENTS_INVALID, MEASUREMENTS_ENVELOPE_INVALID, MEASUREMENTS_STATEMENT_INVALID,
 * MEASUREMENTS_CONTRADICTORY, MEASUREMENTS_INCOMPLETE
 */
export function parsePublished(bytes: Buffer): PublishedFile {
  if (bytes.length > MAX_MEASUREMENTS_BYTES) {
    throw new MeasurementsError('MEASUREMENTS_FILE', 'the file is too large', { found: `${bytes.length} bytes` });
  }
  let json: unknown;
  try {
    json = parseUniqueJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new MeasurementsError('MEASUREMENTS_INVALID', 'the file is not JSON that all readers understand alike', {
      cause,
    });
  }
  if (typeof json !== 'object' || json === null || !('payloadType' in json)) {
    return { kind: 'plain', content: parseMeasurementsJson(json) };
  }
  const envelope = parseEnvelope(json, PAYLOAD_TYPE);
  return { kind: 'signed', envelope, content: decodeSigned(envelope.payload) };
}

function pass(name: PublishedClaim['name'], detail: string): PublishedClaim {
  return { name, status: 'pass', detail };
}

function fail(
  name: PublishedClaim['name'],
  code: MeasurementsErrorCode,
  message: string,
  details: { readonly found?: string; readonly allowed?: string } = {},
): PublishedClaim {
  return { name, status: 'fail', detail: message, error: new MeasurementsError(code, message, details) };
}

function signatureClaim(envelope: Envelope, key: VerifyingKey): PublishedClaim {
  const who = `${key.name} (SHA-256 of the key: ${key.keyId})`;
  const state = signatureState(envelope, key);
  if (state === 'signed') return pass('signature', `signed by ${who}`);
  if (state === 'invalid') {
    const message = `the signature that is said to be of ${who} does not verify`;
    return fail('signature', 'MEASUREMENTS_SIGNATURE_INVALID', message);
  }
  return fail('signature', 'MEASUREMENTS_SIGNATURE_MISSING', `not signed by ${who}`);
}

function validityClaim({ issuedAtMs, expiresAtMs }: SignedMeasurements, nowMs: number): PublishedClaim {
  const found = timestamp(nowMs);
  if (issuedAtMs > nowMs + MAX_SKEW_MS) {
    const message = `issued at ${timestamp(issuedAtMs)}, which has not come yet`;
    return fail('validity', 'MEASUREMENTS_FROM_FUTURE', message, { found });
  }
  if (nowMs < expiresAtMs) return pass('validity', `from ${timestamp(issuedAtMs)} until ${timestamp(expiresAtMs)}`);
  return fail('validity', 'MEASUREMENTS_EXPIRED', `expired at ${timestamp(expiresAtMs)}`, { found });
}

function ageClaim({ issuedAtMs }: SignedMeasurements, { maxAgeMs, nowMs }: PublishedDemands): PublishedClaim {
  if (maxAgeMs === undefined) return { name: 'age', status: 'not run', detail: 'no greatest age is demanded' };
  const issued = `issued at ${timestamp(issuedAtMs)}`;
  if (nowMs - issuedAtMs <= maxAgeMs) return pass('age', issued);
  const allowed = `since ${timestamp(nowMs - maxAgeMs)}`;
  return fail('age', 'MEASUREMENTS_TOO_OLD', `${issued}, which is too long ago`, { allowed });
}

function plainClaims({ require, maxAgeMs }: PublishedDemands): PublishedClaim[] {
  const message = 'the file is a plain measurements.json, which nobody signed';
  if (require.length > 0) return [fail('signature', 'MEASUREMENTS_UNSIGNED', message)];
  if (maxAgeMs !== undefined) return [fail('age', 'MEASUREMENTS_UNSIGNED', message)];
  return [{ name: 'signature', status: 'not run', detail: `${message}: you vouch for it` }];
}

function claimsOf(file: PublishedFile, demands: PublishedDemands): PublishedClaim[] {
  if (file.kind === 'plain') return plainClaims(demands);
  const signatures = demands.require.map((key) => signatureClaim(file.envelope, key));
  const none: PublishedClaim = { name: 'signature', status: 'not run', detail: 'nobody’s signature is demanded' };
  return [
    ...(signatures.length > 0 ? signatures : [none]),
    validityClaim(file.content, demands.nowMs),
    ageClaim(file.content, demands),
  ];
}

/**
 * The whole report, with what fails in it.
 * @throws MeasurementsError those of parsePublished; MEASUREMENTS_KEY_TWICE
 */
export function examinePublished(bytes: Buffer, demands: PublishedDemands): PublishedReport {
  requireDistinct(demands.require);
  const file = parsePublished(bytes);
  return { file, claims: claimsOf(file, demands) };
}

/** @throws MeasurementsError of the first claim that fails, and those of examinePublished */
export function readPublished(bytes: Buffer, demands: PublishedDemands): ExpectedMeasurements & PublishedReport {
  const report = examinePublished(bytes, demands);
  for (const { error } of report.claims) if (error !== undefined) throw error;
  const { pcrs, statement } = report.file.content;
  return { ...report, pcrs, ...(statement === undefined ? {} : { statement }) };
}
