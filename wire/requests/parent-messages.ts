/**
 * What only the parent may ask, over the requests route: the request for a certificate of the enclave's TLS key, and that a certificate be
 * taken. Strangers on the public port ask for attestation alone (messages.ts). Neither is a secret, and nothing that is brought is believed.
 */
import { z } from 'zod';
import { attest, attestation, base64, nonce, parseWith, refusal } from './messages.ts';

/** PEM of a certificate and of the CAs behind it (keys/tls/accept-certificate.ts). */
export const MAX_CHAIN_CHARACTERS = 24 * 1_024;
/** Of one request's JSON; a line break of PEM has two characters there. */
export const MAX_PARENT_REQUEST_BYTES = MAX_CHAIN_CHARACTERS + 2 * 1_024;
/** 50 names of 253 characters, in PKCS #10. */
const MAX_CERTIFICATE_REQUEST_BYTES = 16 * 1_024;

const parentRequest = z.discriminatedUnion('type', [
  attest,
  z.strictObject({ type: z.literal('certificate-request'), nonce }),
  z.strictObject({ type: z.literal('install-certificate'), chain: z.string().max(MAX_CHAIN_CHARACTERS) }),
]);
export type ParentRequest = z.infer<typeof parentRequest>;

const parentAnswer = z.discriminatedUnion('type', [
  attestation,
  refusal,
  attestation.extend({
    type: z.literal('certificate-request'),
    /** PKCS #10, base64. It is signed with the key that the document names. */
    request: base64(MAX_CERTIFICATE_REQUEST_BYTES),
  }),
  z.strictObject({
    type: z.literal('certificate-installed'),
    subject: z.string().max(500),
    /** Milliseconds since the epoch. */
    endsMs: z.int(),
  }),
]);
export type ParentAnswer = z.infer<typeof parentAnswer>;

/** @throws WireError WIRE_MESSAGE_INVALID */
export function parseParentRequest(payload: Buffer): ParentRequest {
  return parseWith(parentRequest, 'request', payload);
}

/** @throws WireError WIRE_MESSAGE_INVALID */
export function parseParentAnswer(payload: Buffer): ParentAnswer {
  return parseWith(parentAnswer, 'answer', payload);
}
