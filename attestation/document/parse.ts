/**
 * Reads an attestation document without trusting it: size, COSE_Sign1 envelope, payload syntax. Whoever relies on what
 * it says goes through authenticate.ts.
 * Specification: nitro-formats 3.6.
 */
import { wrapFormatError } from '../../encoding/format-error.ts';
import { AttestationError } from '../errors.ts';
import { readCoseSign1 } from './cose-sign1.ts';
import { MAX_DOCUMENT_BYTES } from './limits.ts';
import type { AttestationPayload } from './payload.ts';
import { readAttestationPayload } from './payload.ts';

export interface ParsedDocument {
  readonly payload: AttestationPayload;
  readonly payloadBytes: Buffer;
  /** r ‖ s, 96 bytes. */
  readonly signature: Buffer;
}

/**
 * The result holds copies; the caller may reuse `bytes`.
 * @throws AttestationError ATTESTATION_TOO_LARGE, ATTESTATION_COSE_INVALID, ATTESTATION_PAYLOAD_INVALID
 */
export function parseAttestationDocument(bytes: Buffer): ParsedDocument {
  if (bytes.length > MAX_DOCUMENT_BYTES) {
    throw new AttestationError('ATTESTATION_TOO_LARGE', 'the attestation document is too long', {
      found: `${bytes.length} bytes`,
      allowed: `${MAX_DOCUMENT_BYTES} bytes`,
    });
  }
  const { payload: payloadBytes, signature } = wrapFormatError(
    () => readCoseSign1(Buffer.from(bytes)),
    (cause) => new AttestationError('ATTESTATION_COSE_INVALID', 'not a COSE_Sign1 attestation document', { cause }),
  );
  const payload = wrapFormatError(
    () => readAttestationPayload(payloadBytes),
    (cause) => new AttestationError('ATTESTATION_PAYLOAD_INVALID', 'not an attestation payload', { cause }),
  );
  return { payload, payloadBytes, signature };
}
