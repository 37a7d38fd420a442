/**
 * Writes the payload of attestation documents, byte for byte as the Nitro hypervisor does: for the emulated security module
 * and for tests of verifiers. What such a document is worth is decided by the root that a verifier trusts.
 * Specification: nitro-formats 3.6 (observed order of keys, absent fields as null).
 */
import { writeCbor } from '../../encoding/cbor/writer.ts';
import type { AttestationPayload } from './payload.ts';

/** Sizes and ranges are the caller's duty: parseAttestationDocument refuses what breaks them. */
export function encodeAttestationPayload(payload: AttestationPayload): Buffer {
  return writeCbor({
    module_id: payload.moduleId,
    digest: payload.digest,
    timestamp: payload.timestampMs,
    pcrs: new Map([...payload.pcrs].sort(([a], [b]) => a - b)),
    certificate: payload.certificate,
    cabundle: payload.cabundle,
    public_key: payload.publicKey ?? null,
    user_data: payload.userData ?? null,
    nonce: payload.nonce ?? null,
  });
}
