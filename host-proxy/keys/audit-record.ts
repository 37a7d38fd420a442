/**
 * What the audit log of key operations holds: one record a line, in canonical JSON, each with the hash of the line before it. Whoever knows
 * the hash of the last line (the head) knows all of them. Specification: docs/keys.md, "The audit log".
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../../encoding/canonical-json.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const text = z.string().max(200);
const generation = z.int().min(1);

/** How a set came here, with what proves which enclave made it. */
const arrival = {
  set: sha256,
  generation,
  /** The set that it was made from; null for a ceremony's. */
  from: sha256.nullable(),
  action: text,
  request: sha256,
  /** SHA-256 of the keys that signed the request, as its envelope names them. */
  approvedBy: z.array(text),
  /** The transcript's attestation document, base64. */
  document: z.base64(),
};

const happening = z.discriminatedUnion('what', [
  /** Operators' request was handed in; it is passed to the enclave next. */
  z.strictObject({ what: z.literal('approved'), action: text, request: sha256, approvedBy: z.array(text) }),
  /** The enclave made a set, and it is on disk. */
  z.strictObject({ what: z.literal('made'), ...arrival }),
  /** A set was found on disk that the log did not know: put there by hand, or the daemon ended before it could record it. */
  z.strictObject({ what: z.literal('restored'), ...arrival }),
  /** The enclave works with this set. */
  z.strictObject({ what: z.literal('taken'), set: sha256, generation }),
  /** The enclave has the shares of these operators for a set that it waits with. */
  z.strictObject({ what: z.literal('loaded'), set: sha256, needed: z.int(), loaded: z.array(text) }),
  /** The enclave took the request without making a set. */
  z.strictObject({ what: z.literal('changed'), request: sha256 }),
  /** The enclave did not take this set. */
  z.strictObject({ what: z.literal('refused'), set: sha256, generation, code: text }),
  /** The enclave did not do what the request asks. */
  z.strictObject({ what: z.literal('denied'), request: sha256, code: text }),
]);
export type Happening = z.infer<typeof happening>;
export type Arrival = Extract<Happening, { what: 'made' | 'restored' }>;

const place = z.object({ seq: z.int().min(1), previous: sha256.nullable(), time: z.iso.datetime() });
export type AuditRecord = Happening & z.infer<typeof place>;

/** Without a line break. */
export function encodeRecord(record: AuditRecord): string {
  return canonicalJson(record);
}

/** Of the line, without its line break: lower-case hex. */
export function lineHash(line: string): string {
  return createHash('sha256').update(line, 'utf8').digest('hex');
}

/** @returns why it is none */
export function parseRecord(line: string): AuditRecord | string {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return 'it is not JSON';
  }
  const { seq, previous, time, ...rest } = Object(json) as Record<string, unknown>;
  const placed = place.safeParse({ seq, previous, time });
  if (!placed.success) return z.prettifyError(placed.error);
  const parsed = happening.safeParse(rest);
  if (!parsed.success) return z.prettifyError(parsed.error);
  return { ...parsed.data, ...placed.data };
}
