/** Sizes of attestation documents. Specification: nitro-formats 3.6. */
import { ES384 } from '../../encoding/cose-sign1.ts';

export const MAX_PAYLOAD_BYTES = 16384;
/** The payload, and all that COSE_Sign1 adds: tag, array, headers, lengths (13 bytes), signature. */
export const MAX_DOCUMENT_BYTES = MAX_PAYLOAD_BYTES + 13 + ES384.signatureBytes;
export const MAX_CERTIFICATE_BYTES = 1024;
/** Nonce, user data and public key, each. */
export const MAX_BOUND_BYTES = 1024;
