/**
 * What a document states, read straight from the security module that made it. Nothing is authenticated: inside the enclave
 * the driver of the module is the witness, and the signature is for those who cannot ask it. A module that does not sign
 * (QEMU's) is read as well; nobody outside accepts its documents.
 * Specification: nitro-formats 3.6.
 */
import { readCbor } from '../encoding/cbor-reader.ts';
import { expectArray, expectBytes } from '../encoding/cbor-shape.ts';
import { wrapFormatError } from '../encoding/format-error.ts';
import { AttestationError } from '../errors.ts';
import { MAX_PAYLOAD_BYTES } from './limits.ts';
import type { AttestationPayload } from './payload.ts';
import { readAttestationPayload } from './payload.ts';

const PAYLOAD_MEMBER = 2;

/** @throws AttestationError ATTESTATION_PAYLOAD_INVALID */
export function readStatedPayload(document: Buffer): AttestationPayload {
  return wrapFormatError(
    () => {
      const members = expectArray('COSE_Sign1', readCbor(Buffer.from(document)));
      return readAttestationPayload(expectBytes('payload', members[PAYLOAD_MEMBER], 1, MAX_PAYLOAD_BYTES));
    },
    (cause) => new AttestationError('ATTESTATION_PAYLOAD_INVALID', 'not an attestation document', { cause }),
  );
}
