/**
 * Decides whether an attestation document is authentic, or throws: syntax, certificate chain up to a pinned root, signature. Only
 * this makes an AttestationDocument. ../verify/ goes through the same steps, tells each, and judges what the document says.
 * Specification: nitro-formats 3.6.
 */
import type { CoseSign1 } from '../../encoding/cose-sign1.ts';
import { isCoseSignedBy } from '../../encoding/cose-sign1.ts';
import { AttestationError } from '../errors.ts';
import type { ChainCertificate } from './certificate.ts';
import type { ChainTrust } from './chain.ts';
import { verifyChain } from './chain.ts';
import { parseAttestationDocument } from './parse.ts';
import type { AttestationPayload } from './payload.ts';

declare const authenticated: unique symbol;
/** A payload that the holder of the pinned root vouches for. */
export type AttestationDocument = AttestationPayload & { readonly [authenticated]: true };

function isSignatureValid(envelope: CoseSign1, leaf: ChainCertificate): boolean {
  try {
    return isCoseSignedBy(envelope, leaf.x509.publicKey);
  } catch {
    return false;
  }
}

/** @throws AttestationError ATTESTATION_SIGNATURE_INVALID */
export function checkSignature(envelope: CoseSign1, leaf: ChainCertificate): void {
  if (isSignatureValid(envelope, leaf)) return;
  throw new AttestationError('ATTESTATION_SIGNATURE_INVALID', 'the signature of the document does not verify');
}

/**
 * @param trust `nowMs`: the present time, or for archived evidence the document's own
 * @throws AttestationError the codes of parseAttestationDocument and verifyChain, ATTESTATION_SIGNATURE_INVALID
 */
export function authenticateAttestationDocument(bytes: Buffer, trust: ChainTrust): AttestationDocument {
  const { envelope, payload } = parseAttestationDocument(bytes);
  checkSignature(envelope, verifyChain(payload.certificate, payload.cabundle, trust));
  return payload as AttestationDocument;
}
