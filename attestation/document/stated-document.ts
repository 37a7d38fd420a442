/**
 * What a document states, read straight from the security module that made it. Nothing is authenticated: inside the enclave
 * the driver of the module is the witness, and the signature is for those who cannot ask it. A module that does not sign
 * (QEMU's) is read as well; nobody outside accepts its documents.
 * Specification: nitro-formats 3.6.
 */
import { readCbor } from '../../encoding/cbor/reader.ts';
import { expectArray, expectBytes } from '../../encoding/cbor/shape.ts';
import { FormatError, wrapFormatError } from '../../encoding/format-error.ts';
import { AttestationError } from '../errors.ts';
import { MAX_PAYLOAD_BYTES } from './limits.ts';
import type { AttestationPayload } from './payload.ts';
import { readAttestationPayload } from './payload.ts';

const MEMBERS = 4;
const MAX_HEADER_BYTES = 16;
const MAX_SIGNATURE_BYTES = 256;

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
      const members = expectArray('COSE_Sign1', readCbor(Buffer.from(document)));
      if (members.length !== MEMBERS) throw new FormatError(`COSE_Sign1 must have 4 members, not ${members.length}`);
      const [header, , payload, signature] = members;
      return {
        protectedHeader: expectBytes('protected header', header, 1, MAX_HEADER_BYTES),
        payload: readAttestationPayload(expectBytes('payload', payload, 1, MAX_PAYLOAD_BYTES)),
        signature: expectBytes('signature', signature, 1, MAX_SIGNATURE_BYTES),
      };
    },
    (cause) => new AttestationError('ATTESTATION_PAYLOAD_INVALID', 'not an attestation document', { cause }),
  );
}
