/**
 * What providers and auditors sign: an in-toto Statement about an image file, whose predicate holds the registers that its enclaves
 * show, what they were told to do, where the source is, and how long the signers stand to it. Canonical JSON (RFC 8785), so that no
 * two readers can see different members in it.
 * Specification: in-toto attestation v1 (spec/v1/statement.md, resource_descriptor.md, field_types.md); the predicate is ours
 * (docs/measurements.md). Members of the statement that are not known are ignored, as in-toto demands; of the predicate refused.
 */
import { z } from 'zod';
import { type CanonicalValue, canonicalJson } from '../../encoding/canonical-json.ts';
import { wrapFormatError } from '../../encoding/format-error.ts';
import { runtimeStatement } from '../runtime/statement.ts';
import type { MeasurementsContent, NamedDigest } from './content.ts';
import { fileName, namedPcrs, pcrHex, requireConsistent, sha256Hex, toPcrs } from './content.ts';
import { MeasurementsError } from './errors.ts';

const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
/** A name that nobody can take over, of no domain (RFC 9562). Another form of the predicate gets another one. */
export const PREDICATE_TYPE = 'urn:uuid:9c70fe13-6110-42aa-ab72-3dba45c72aea';

export interface Source {
  /** As `git clone` takes it, or an SPDX download location (`git+https://…`). */
  readonly uri: string;
  /** Whole: 40 or 64 hexadecimal digits. Names of branches and tags move. */
  readonly gitCommit: string;
}

export interface SignedMeasurements extends MeasurementsContent {
  readonly image: NamedDigest;
  readonly billOfMaterials: NamedDigest;
  /** Milliseconds since the epoch, in whole seconds. */
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly source?: Source;
}

const SECOND_MS = 1_000;
/** RFC 3339 in UTC, whole seconds. */
export const timestamp = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

const time = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/, 'must be a time in UTC without fractions (RFC 3339)')
  .refine((text) => !Number.isNaN(Date.parse(text)) && timestamp(Date.parse(text)) === text, 'is no time');
export const sourceUri = z.string().regex(/^[a-z][a-z0-9+.-]*:[\x21-\x7e]{1,2000}$/, 'must be a URI (RFC 3986)');
export const gitCommit = z
  .string()
  .regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, 'must be the whole hash of a commit: 40 or 64 lower-case hexadecimal digits');
const sha256Of = z.object({ sha256: sha256Hex });

const predicate = z
  .strictObject({
    issuedAt: time,
    expiresAt: time,
    pcrs: z.strictObject({
      PCR0: pcrHex,
      PCR1: pcrHex,
      PCR2: pcrHex,
      PCR3: pcrHex.optional(),
      PCR4: pcrHex.optional(),
      PCR8: pcrHex,
      PCR16: pcrHex.optional(),
    }),
    runtime: runtimeStatement.optional(),
    billOfMaterials: z.strictObject({ name: fileName, digest: sha256Of }),
    source: z.strictObject({ uri: sourceUri, digest: z.strictObject({ gitCommit }) }).optional(),
  })
  .refine(({ issuedAt, expiresAt }) => issuedAt < expiresAt, 'it expires before it is issued');

const statement = z.object({
  _type: z.literal(STATEMENT_TYPE),
  predicateType: z.literal(PREDICATE_TYPE),
  subject: z.tuple([z.object({ name: fileName, digest: sha256Of })]),
  predicate,
});

function toStatement(measurements: SignedMeasurements): z.input<typeof statement> {
  const { pcrs, statement: runtime, image, billOfMaterials, source, issuedAtMs, expiresAtMs } = measurements;
  const described = ({ name, sha256 }: NamedDigest) => ({ name, digest: { sha256 } });
  return {
    _type: STATEMENT_TYPE,
    predicateType: PREDICATE_TYPE,
    subject: [described(image)],
    predicate: {
      issuedAt: timestamp(issuedAtMs),
      expiresAt: timestamp(expiresAtMs),
      pcrs: namedPcrs(pcrs) as z.input<typeof predicate>['pcrs'],
      ...(runtime === undefined ? {} : { runtime }),
      billOfMaterials: described(billOfMaterials),
      ...(source === undefined ? {} : { source: { uri: source.uri, digest: { gitCommit: source.gitCommit } } }),
    },
  };
}

/** The payload of the envelope. Times lose what is less than a second. @throws MeasurementsError as decodeSigned */
export function encodeSigned(measurements: SignedMeasurements): Buffer {
  const wholeSeconds = (ms: number) => ms - (ms % SECOND_MS);
  const { issuedAtMs, expiresAtMs } = measurements;
  const times = { issuedAtMs: wholeSeconds(issuedAtMs), expiresAtMs: wholeSeconds(expiresAtMs) };
  const payload = Buffer.from(canonicalJson(toStatement({ ...measurements, ...times }) as CanonicalValue));
  decodeSigned(payload);
  return payload;
}

function parseCanonical(payload: Buffer): unknown {
  const invalid = (message: string, cause?: unknown) =>
    new MeasurementsError('MEASUREMENTS_STATEMENT_INVALID', message, { cause });
  let json: CanonicalValue;
  try {
    json = JSON.parse(payload.toString()) as CanonicalValue;
  } catch (cause) {
    throw invalid('the signed statement is not JSON', cause);
  }
  const only = wrapFormatError(
    () => Buffer.from(canonicalJson(json)),
    (cause) => invalid('the signed statement has no canonical form', cause),
  );
  if (only.equals(payload)) return json;
  throw invalid('the signed statement is not in canonical form (RFC 8785)');
}

/** @throws MeasurementsError MEASUREMENTS_STATEMENT_INVALID, MEASUREMENTS_INCOMPLETE, MEASUREMENTS_CONTRADICTORY */
export function decodeSigned(payload: Buffer): SignedMeasurements {
  const parsed = statement.safeParse(parseCanonical(payload));
  if (!parsed.success) {
    const found = z.prettifyError(parsed.error);
    throw new MeasurementsError('MEASUREMENTS_STATEMENT_INVALID', 'the signed statement is malformed', { found });
  }
  const { subject, predicate: said } = parsed.data;
  const [image] = subject;
  const { runtime, billOfMaterials: bill, source } = said;
  const measurements = {
    pcrs: toPcrs(said.pcrs),
    ...(runtime === undefined ? {} : { statement: runtime }),
    image: { name: image.name, sha256: image.digest.sha256 },
    billOfMaterials: { name: bill.name, sha256: bill.digest.sha256 },
    ...(source === undefined ? {} : { source: { uri: source.uri, gitCommit: source.digest.gitCommit } }),
    issuedAtMs: Date.parse(said.issuedAt),
    expiresAtMs: Date.parse(said.expiresAt),
  };
  requireConsistent(measurements);
  return measurements;
}
