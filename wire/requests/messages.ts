/**
 * Questions that the enclave answers to whoever asks: each connection carries one request and one answer, each in a frame (u32
 * big-endian length, then that many bytes of UTF-8 JSON), and ends. The same two messages go over the requests route of vsock, for
 * host-proxy, and over TLS with the protocol `acra-attestation/1` (ALPN) on the public port.
 */
import { z } from 'zod';
import { parseBoundedJson } from '../../runtime/bounded-json.ts';
import type { CodedError } from '../../runtime/errors.ts';
import { saidCode, saidText } from '../control/said.ts';
import { WireError } from '../errors.ts';
import { MAX_NONCE_BYTES, MIN_NONCE_BYTES } from './bounds.ts';

const MAX_MESSAGE_CHARACTERS = 1_000;
/** What is long in a message is base64, or PEM with what people write between its blocks. */
const MAX_VALUES = 4_096;

export const base64 = (maxBytes: number) => z.base64().max(4 * Math.ceil(maxBytes / 3));
export const nonce = base64(MAX_NONCE_BYTES).refine((value) => {
  const bytes = Buffer.from(value, 'base64').length;
  return bytes >= MIN_NONCE_BYTES && bytes <= MAX_NONCE_BYTES;
}, `must have ${MIN_NONCE_BYTES} to ${MAX_NONCE_BYTES} bytes`);

export const attest = z.strictObject({ type: z.literal('attest'), nonce });
const enclaveRequest = z.discriminatedUnion('type', [attest]);
export type EnclaveRequest = z.infer<typeof enclaveRequest>;

/** What nobody vouches for but the document itself: the statement counts by its hash (attestation/runtime/statement.ts). */
export const attestation = z.strictObject({
  type: z.literal('attestation'),
  /** COSE_Sign1, base64. */
  document: base64(16 * 1024),
  /** Canonical JSON, base64. */
  statement: base64(64 * 1024),
});
export type AttestationAnswer = z.infer<typeof attestation>;

export const refusal = z.strictObject({
  type: z.literal('refusal'),
  code: saidCode,
  message: saidText(MAX_MESSAGE_CHARACTERS),
});
const enclaveAnswer = z.discriminatedUnion('type', [attestation, refusal]);
export type EnclaveAnswer = z.infer<typeof enclaveAnswer>;
export type Refusal = z.infer<typeof refusal>;

/** @param told default: what it says, without what was found */
export function refusalOf(error: CodedError, told = error.message): Refusal {
  return { type: 'refusal', code: error.code, message: told.slice(0, MAX_MESSAGE_CHARACTERS) };
}

/** @throws WireError WIRE_MESSAGE_INVALID */
export function parseWith<Schema extends z.ZodType>(schema: Schema, what: string, payload: Buffer): z.output<Schema> {
  let value: unknown;
  try {
    value = parseBoundedJson(payload, MAX_VALUES);
  } catch (cause) {
    throw new WireError('WIRE_MESSAGE_INVALID', `the ${what} is not JSON`, { cause });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new WireError('WIRE_MESSAGE_INVALID', `the ${what} has an unknown shape`, {
    found: z.prettifyError(result.error),
  });
}

/** @throws WireError WIRE_MESSAGE_INVALID */
export function parseEnclaveRequest(payload: Buffer): EnclaveRequest {
  return parseWith(enclaveRequest, 'request', payload);
}

/** @throws WireError WIRE_MESSAGE_INVALID */
export function parseEnclaveAnswer(payload: Buffer): EnclaveAnswer {
  return parseWith(enclaveAnswer, 'answer', payload);
}
