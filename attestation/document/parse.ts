/**
 * Reads an attestation document without trusting it: size, COSE_Sign1 envelope, payload syntax. Whoever relies on what
 * it says goes through authenticate.ts.
 * Specification: nitro-formats 3.6.
 */
import type { CoseSign1 } from '../../encoding/cose-sign1.ts';
import { ES384, parseCoseSign1 } from '../../encoding/cose-sign1.ts';
import { wrapFormatError } from '../../encoding/format-error.ts';
import { AttestationError } from '../errors.ts';
import { MAX_DOCUMENT_BYTES, MAX_PAYLOAD_BYTES } from './limits.ts';
import type { AttestationPayload } from './payload.ts';
import { readAttestationPayload } from './payload.ts';

/** ES384 is what the hypervisor signs with; nothing else is accepted. */
const ALLOWED = { algorithms: [ES384], maxPayloadBytes: MAX_PAYLOAD_BYTES };

export interface ParsedDocument {
  readonly payload: AttestationPayload;
  /** The envelope with the payload's bytes. */
  readonly envelope: CoseSign1;
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
  const envelope = wrapFormatError(
    () => parseCoseSign1(Buffer.from(bytes), ALLOWED),
    (cause) => new AttestationError('ATTESTATION_COSE_INVALID', 'not a COSE_Sign1 attestation document', { cause }),
  );
  const payload = wrapFormatError(
    () => readAttestationPayload(envelope.payload),
    (cause) => new AttestationError('ATTESTATION_PAYLOAD_INVALID', 'not an attestation payload', { cause }),
  );
  return { payload, envelope };
}
