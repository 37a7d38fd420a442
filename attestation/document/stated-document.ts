/**
 * What a document states, read straight from the security module that made it. Nothing is authenticated: inside the enclave
 * the driver of the module is the witness, and the signature is for those who cannot ask it. A module that does not sign
 * (QEMU's) is read as well; nobody outside accepts its documents.
 * Specification: nitro-formats 3.6.
 */
import { splitCoseSign1 } from '../../encoding/cose-sign1.ts';
import { wrapFormatError } from '../../encoding/format-error.ts';
import { AttestationError } from '../errors.ts';
import { MAX_PAYLOAD_BYTES } from './limits.ts';
import type { AttestationPayload } from './payload.ts';
import { readPayloadFields, readPayloadMap } from './payload.ts';

export interface StatedDocument {
  readonly payload: AttestationPayload;
  /** As they stand there, whatever they are. */
  readonly protectedHeader: Buffer;
  readonly signature: Buffer;
}

/** @throws AttestationError ATTESTATION_PAYLOAD_INVALID */
export function readStatedDocument(document: Buffer): StatedDocument {
  return wrapFormatError(
    () => {
      const { protectedHeader, payload, signature } = splitCoseSign1(Buffer.from(document), MAX_PAYLOAD_BYTES);
      return { protectedHeader, payload: readPayloadFields(readPayloadMap(payload)), signature };
    },
    (cause) => new AttestationError('ATTESTATION_PAYLOAD_INVALID', 'not an attestation document', { cause }),
  );
}
