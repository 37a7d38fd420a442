/** What bounds the questions that the enclave answers (messages.ts): apart from their schemas, for programs that pass them on unread. */

/** By ALPN, on the public port. */
export const ATTESTATION_ALPN = 'acra-attestation/1';

export const MIN_NONCE_BYTES = 16;
export const MAX_NONCE_BYTES = 64;
/** As people and HTTP write one. */
export const NONCE_HEX: RegExp = new RegExp(`^(?:[0-9a-fA-F]{2}){${MIN_NONCE_BYTES},${MAX_NONCE_BYTES}}$`);
/** Of one request's JSON. */
export const MAX_REQUEST_BYTES = 1_024;
/** Of one answer's JSON: a document has at most 12 KB, a statement 64 KB, both in base64. */
export const MAX_ANSWER_BYTES = 128 * 1_024;

/** How long an answer about keys may take: longer than anything that the enclave bounds on its way (KMS, sessions that go over). */
export const MAX_KEYS_ANSWER_MS = 180_000;

/** Of the data key of a key set: of one alone it would be the key, and more than these nobody calls together. */
export const MIN_KEY_SHARES = 2;
export const MAX_KEY_SHARES = 16;
