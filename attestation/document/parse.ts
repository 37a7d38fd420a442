/**
 * Reads an attestation document without trusting it, step by step: size and COSE_Sign1 envelope, CBOR, whose document it is, syntax.
 * Whoever relies on what it says goes through authenticate.ts, or has every step told by ../verify/.
 * Specification: nitro-formats 3.6.
 */
import type { CborMap } from '../../encoding/cbor/reader.ts';
import type { CoseSign1 } from '../../encoding/cose-sign1.ts';
import { ES384, parseCoseSign1 } from '../../encoding/cose-sign1.ts';
import { type FormatError, wrapFormatError } from '../../encoding/format-error.ts';
import { AttestationError } from '../errors.ts';
import { MAX_DOCUMENT_BYTES, MAX_PAYLOAD_BYTES } from './limits.ts';
import type { AttestationPayload } from './payload.ts';
import { isNitroTpmPayload, readPayloadFields, readPayloadMap } from './payload.ts';

/** ES384 is what the hypervisor signs with; nothing else is accepted. */
const ALLOWED = { algorithms: [ES384], maxPayloadBytes: MAX_PAYLOAD_BYTES };

export interface ParsedDocument {
  readonly payload: AttestationPayload;
  /** The envelope with the payload's bytes. */
  readonly envelope: CoseSign1;
}

/**
 * The result holds copies; the caller may reuse `bytes`.
 * @throws AttestationError ATTESTATION_TOO_LARGE, ATTESTATION_COSE_INVALID
 */
export function openEnvelope(bytes: Uint8Array): CoseSign1 {
  if (bytes.length > MAX_DOCUMENT_BYTES) {
    throw new AttestationError('ATTESTATION_TOO_LARGE', 'the attestation document is too long', {
      found: `${bytes.length} bytes`,
      allowed: `${MAX_DOCUMENT_BYTES} bytes`,
    });
  }
  return wrapFormatError(
    () => parseCoseSign1(Buffer.from(bytes), ALLOWED),
    (cause) => new AttestationError('ATTESTATION_COSE_INVALID', 'not a COSE_Sign1 attestation document', { cause }),
  );
}

const payloadInvalid = (cause: FormatError) =>
  new AttestationError('ATTESTATION_PAYLOAD_INVALID', 'not an attestation payload', { cause });

/** @throws AttestationError ATTESTATION_PAYLOAD_INVALID */
export function openPayload({ payload }: CoseSign1): CborMap {
  return wrapFormatError(() => readPayloadMap(payload), payloadInvalid);
}

/** @throws AttestationError ATTESTATION_NITROTPM */
export function checkPlatform(payload: CborMap): void {
  if (!isNitroTpmPayload(payload)) return;
  throw new AttestationError('ATTESTATION_NITROTPM', 'the document is of a NitroTPM, not of an enclave', {
    found: 'nitrotpm_pcrs: it attests a whole instance, and its registers mean something else',
    allowed: 'pcrs of a Nitro Enclave',
  });
}

/** @throws AttestationError ATTESTATION_PAYLOAD_INVALID */
export function readPayload(payload: CborMap): AttestationPayload {
  return wrapFormatError(() => readPayloadFields(payload), payloadInvalid);
}

/**
 * The result holds copies; the caller may reuse `bytes`.
 * @throws AttestationError ATTESTATION_TOO_LARGE, ATTESTATION_COSE_INVALID, ATTESTATION_PAYLOAD_INVALID, ATTESTATION_NITROTPM
 */
export function parseAttestationDocument(bytes: Buffer): ParsedDocument {
  const envelope = openEnvelope(bytes);
  const map = openPayload(envelope);
  checkPlatform(map);
  return { payload: readPayload(map), envelope };
}
