/**
 * Makes and checks the signature of one PCR0 under one certificate chain; files are somebody else's business.
 * Specification: nitro-formats 3.1, "Signature section".
 */
import { sign, verify } from 'node:crypto';
import { EifError } from '../errors.ts';
import {
  encodeSignatureSection,
  encodeSignedRegister,
  parseSignatureSection,
  parseSignedRegister,
} from '../format/signature.ts';
import { algorithmOfKey, type SigningAlgorithm } from './algorithm.ts';
import { type CertificateChain, parseCertificateChain } from './certificate.ts';
import { encodeCoseSign1, parseCoseSign1, toBeSigned } from './cose-sign1.ts';
import type { SigningKey } from './key.ts';

/** COSE signatures are raw r ‖ s. */
const DSA_ENCODING = 'ieee-p1363';

export interface VerifiedSignature {
  readonly algorithm: SigningAlgorithm;
  readonly chain: CertificateChain;
}

/** @returns the bytes of the signature section. */
export function signPcr0(pcr0: Buffer, { key, algorithm }: SigningKey, chain: CertificateChain): Buffer {
  const tbs = toBeSigned(algorithm, encodeSignedRegister(pcr0));
  return sectionOf(pcr0, algorithm, sign(algorithm.hash, tbs, { key, dsaEncoding: DSA_ENCODING }), chain);
}

/**
 * @param signature raw r ‖ s, not checked here
 * @returns the bytes of the signature section
 */
export function sectionOf(
  pcr0: Buffer,
  algorithm: SigningAlgorithm,
  signature: Buffer,
  { pem }: CertificateChain,
): Buffer {
  const coseSign1 = encodeCoseSign1({ algorithm, payload: encodeSignedRegister(pcr0), signature });
  return encodeSignatureSection({ certificatePem: pem, coseSign1 });
}

/** Whether raw r ‖ s signs `tbs` under the key of the signing certificate. */
export function isSignedBy(
  { signer }: CertificateChain,
  algorithm: SigningAlgorithm,
  tbs: Buffer,
  signature: Buffer,
): boolean {
  return verify(algorithm.hash, tbs, { key: signer.publicKey, dsaEncoding: DSA_ENCODING }, signature);
}

/**
 * Checks a signature section against the PCR0 of its image. Says nothing of validity in time, nor of who may sign: that is
 * for PCR8 to settle.
 * @throws EifError EIF_SIGNATURE_SYNTAX, EIF_SIGNATURE_ALGORITHM, EIF_SIGNATURE_INVALID, EIF_SIGNATURE_PCR0,
 * EIF_CERTIFICATE_INVALID, EIF_CERTIFICATE_CHAIN, EIF_KEY_CURVE
 */
export function verifySignatureSection(section: Buffer, pcr0: Buffer): VerifiedSignature {
  const { certificatePem, coseSign1 } = parseSignatureSection(section);
  const chain = parseCertificateChain(certificatePem);
  const { algorithm, payload, signature } = parseCoseSign1(coseSign1);
  const ofKey = algorithmOfKey(chain.signer.publicKey);
  if (ofKey !== algorithm) {
    throw new EifError('EIF_SIGNATURE_ALGORITHM', 'the signature algorithm does not fit the certificate', {
      found: algorithm.name,
      allowed: ofKey.name,
    });
  }
  if (!isSignedBy(chain, algorithm, toBeSigned(algorithm, payload), signature)) {
    throw new EifError('EIF_SIGNATURE_INVALID', 'the signature does not verify');
  }
  const signed = parseSignedRegister(payload);
  if (!signed.equals(pcr0)) {
    throw new EifError('EIF_SIGNATURE_PCR0', 'the signature is for another image', {
      found: signed.toString('hex'),
      allowed: pcr0.toString('hex'),
    });
  }
  return { algorithm, chain };
}
