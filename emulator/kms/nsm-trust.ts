/**
 * Whose attestation documents the emulated KMS believes. Either a module's own root, as the real KMS believes AWS's; or, on
 * QEMU's nitro-enclave machine, a module that cannot sign: it puts zeros in the place of certificate, chain and signature. The second is named by whoever starts the emulator; nothing in the enclave or on the parent has such a choice,
 * for neither contains an emulator.
 * Specification: nitro-formats 3.6; QEMU's hw/virtio/virtio-nsm.c for the zeros.
 */
import type { AttestationDocument } from '../../attestation/document/authenticate.ts';
import { authenticateAttestationDocument } from '../../attestation/document/authenticate.ts';
import type { AttestationPayload } from '../../attestation/document/payload.ts';
import { readStatedDocument } from '../../attestation/document/stated-document.ts';
import { AttestationError } from '../../attestation/errors.ts';

export type NsmTrust = { readonly kind: 'signed'; readonly rootDer: Buffer } | { readonly kind: 'qemu-unsigned' };

/** Believes whoever claims to be a machine of QEMU's: for demonstrations and tests on one. */
export const UNSIGNED_BY_QEMU: NsmTrust = { kind: 'qemu-unsigned' };

const ZEROS = Buffer.alloc(64);
/** {1: -1}: no algorithm that signs anything. */
const NO_ALGORITHM = Buffer.from('a10120', 'hex');

/** @throws AttestationError */
export function believe(document: Buffer, trust: NsmTrust, nowMs: number): AttestationDocument | AttestationPayload {
  if (trust.kind === 'signed') return authenticateAttestationDocument(document, { rootDer: trust.rootDer, nowMs });
  const { payload, protectedHeader, signature } = readStatedDocument(document);
  const isEmpty = [payload.certificate, ...payload.cabundle, signature].every((bytes) => bytes.equals(ZEROS));
  if (isEmpty && payload.cabundle.length === 1 && protectedHeader.equals(NO_ALGORITHM)) return payload;
  throw new AttestationError('ATTESTATION_SIGNATURE_INVALID', "the document is not one of QEMU's");
}
