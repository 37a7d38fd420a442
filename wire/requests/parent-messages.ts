/**
 * What only the parent may ask, over the requests route: the request for a certificate of the enclave's TLS key, that a certificate be
 * taken, that a key set be taken, or that one be made or changed as operators ask. Strangers on the public port ask for attestation alone
 * (messages.ts). None of it is a secret, and nothing that is brought is believed.
 */
import { z } from 'zod';
import { saidText } from '../control/said.ts';
import { MAX_KEY_SHARES } from './bounds.ts';
import { attest, attestation, base64, nonce, parseWith, refusal } from './messages.ts';

/** PEM of a certificate and of the CAs behind it (keys/tls/accept-certificate.ts). */
export const MAX_CHAIN_CHARACTERS = 24 * 1_024;
/** A key set (keys/set/key-set.ts), and the request of operators behind it (keys/requests/key-request.ts), in bytes. */
const MAX_KEY_SET_BYTES = 3 * 1024 * 1024;
const MAX_TRANSCRIPT_BYTES = 2 * 1024 * 1024;
export const MAX_KEY_REQUEST_BYTES: number = 1024 * 1024;
/** An operator's share (keys/requests/loaded-share.ts). */
export const MAX_LOADED_SHARE_BYTES: number = 2 * 1024;
/** Of one request's JSON: a key set with its transcript is the longest. */
export const MAX_PARENT_REQUEST_BYTES = 7 * 1024 * 1024;
export const MAX_PARENT_ANSWER_BYTES = MAX_PARENT_REQUEST_BYTES;
/** 50 names of 253 characters, in PKCS #10. */
const MAX_CERTIFICATE_REQUEST_BYTES = 16 * 1_024;

const keySetMembers = {
  /** Canonical JSON, base64. */
  keySet: base64(MAX_KEY_SET_BYTES),
  /** JSON (keys/set/transcript.ts), base64. */
  transcript: base64(MAX_TRANSCRIPT_BYTES),
};

const parentRequest = z.discriminatedUnion('type', [
  attest,
  z.strictObject({ type: z.literal('certificate-request'), nonce }),
  z.strictObject({ type: z.literal('install-certificate'), chain: z.string().max(MAX_CHAIN_CHARACTERS) }),
  z.strictObject({ type: z.literal('keys-status') }),
  /** To be taken: at boot, or in the place of the set that the enclave has. */
  z.strictObject({ type: z.literal('bring-keys'), ...keySetMembers }),
  /** What operators ask for: DSSE, base64. Makes a set and changes nothing in the enclave until that is brought. */
  z.strictObject({ type: z.literal('change-keys'), request: base64(MAX_KEY_REQUEST_BYTES) }),
  /** Of the key set that was brought last, where operators keep its data key: JSON of one operator's share, base64. */
  z.strictObject({ type: z.literal('load-share'), share: base64(MAX_LOADED_SHARE_BYTES) }),
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
    subject: saidText(500),
    /** Milliseconds since the epoch. */
    endsMs: z.int(),
  }),
  z.strictObject({
    type: z.literal('keys-status'),
    /** Undefined while the enclave has none. */
    taken: z.strictObject({ generation: z.int().min(1), sha256: saidText(64) }).optional(),
    /** Whether it would hold a ceremony. */
    ceremony: z.boolean(),
  }),
  z.strictObject({
    type: z.literal('keys-taken'),
    generation: z.int().min(1),
    /** Of the key set. */
    sha256: saidText(64),
  }),
  z.strictObject({ type: z.literal('keys-made'), ...keySetMembers }),
  /** The share counts. When all that are needed are there, the key set is to be brought again. */
  z.strictObject({
    type: z.literal('share-loaded'),
    /** Hash of the key set. */
    keySet: saidText(64),
    needed: z.int().min(1).max(MAX_KEY_SHARES),
    /** Operators whose shares are there. */
    loaded: z.array(saidText(63)).max(MAX_KEY_SHARES),
  }),
  /** Of a request that changes no set: the TLS key of this boot. */
  z.strictObject({ type: z.literal('keys-changed'), what: saidText(1_000) }),
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
