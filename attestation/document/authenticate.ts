/**
 * Decides whether an attestation document is authentic: syntax, certificate chain up to a pinned root, signature. Only
 * this makes an AttestationDocument; what it says about the enclave is then judged by policy.ts.
 * Specification: nitro-formats 3.6.
 */
import { isCoseSignedBy } from '../../encoding/cose-sign1.ts';
import { AttestationError } from '../errors.ts';
import type { ChainCertificate } from './certificate.ts';
import type { ChainTrust } from './chain.ts';
import { verifyChain } from './chain.ts';
import type { ParsedDocument } from './parse.ts';
import { parseAttestationDocument } from './parse.ts';
import type { AttestationPayload } from './payload.ts';

declare const authenticated: unique symbol;
/** A payload that the holder of the pinned root vouches for. */
export type AttestationDocument = AttestationPayload & { readonly [authenticated]: true };

function isSignatureValid({ envelope }: ParsedDocument, leaf: ChainCertificate): boolean {
  try {
    return isCoseSignedBy(envelope, leaf.x509.publicKey);
  } catch {
    return false;
  }
}

/**
 * @param trust `nowMs`: the present time, or for archived evidence the document's own
 * @throws AttestationError the codes of parseAttestationDocument and verifyChain, ATTESTATION_SIGNATURE_INVALID
 */
export function authenticateAttestationDocument(bytes: Buffer, trust: ChainTrust): AttestationDocument {
  const document = parseAttestationDocument(bytes);
  const leaf = verifyChain(document.payload.certificate, document.payload.cabundle, trust);
  if (!isSignatureValid(document, leaf)) {
    throw new AttestationError('ATTESTATION_SIGNATURE_INVALID', 'the signature of the document does not verify');
  }
  return document.payload as AttestationDocument;
}
