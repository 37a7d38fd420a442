/**
 * Makes and checks the signature of one PCR0 under one certificate chain; files are somebody else's business.
 * Specification: nitro-formats 3.1, "Signature section".
 */
import {
  COSE_ALGORITHMS,
  type CoseAlgorithm,
  CoseAlgorithmError,
  type CoseSign1,
  encodeCoseSign1,
  isCoseSignedBy,
  parseCoseSign1,
  signCoseSign1,
} from '../../encoding/cose-sign1.ts';
import { wrapFormatError } from '../../encoding/format-error.ts';
import { EifError } from '../errors.ts';
import {
  encodeSignatureSection,
  encodeSignedRegister,
  parseSignatureSection,
  parseSignedRegister,
} from '../format/signature.ts';
import { algorithmOfKey } from './algorithm.ts';
import { type CertificateChain, parseCertificateChain } from './certificate.ts';
import type { SigningKey } from './key.ts';

/** The register that is signed takes some 130 bytes. */
const LIMITS = { algorithms: COSE_ALGORITHMS, maxPayloadBytes: 1024 };

export interface VerifiedSignature {
  readonly algorithm: CoseAlgorithm;
  readonly chain: CertificateChain;
}

/** @returns the bytes of the signature section. */
export function signPcr0(pcr0: Buffer, { key, algorithm }: SigningKey, chain: CertificateChain): Buffer {
  const coseSign1 = signCoseSign1(algorithm, encodeSignedRegister(pcr0), key);
  return encodeSignatureSection({ certificatePem: chain.pem, coseSign1 });
}

/**
 * @param signature raw r ‖ s, not checked here
 * @returns the bytes of the signature section
 */
export function sectionOf(
  pcr0: Buffer,
  algorithm: CoseAlgorithm,
  signature: Buffer,
  { pem }: CertificateChain,
): Buffer {
  const coseSign1 = encodeCoseSign1({ algorithm, payload: encodeSignedRegister(pcr0), signature });
  return encodeSignatureSection({ certificatePem: pem, coseSign1 });
}

/** Whether the envelope is signed by the key of the signing certificate. */
export function isSignedBy({ signer }: CertificateChain, envelope: CoseSign1): boolean {
  return isCoseSignedBy(envelope, signer.publicKey);
}

/** @throws EifError EIF_SIGNATURE_SYNTAX, EIF_SIGNATURE_ALGORITHM */
export function parseImageSignature(bytes: Buffer): CoseSign1 {
  return wrapFormatError(
    () => parseCoseSign1(bytes, LIMITS),
    (cause) => {
      if (!(cause instanceof CoseAlgorithmError)) {
        return new EifError('EIF_SIGNATURE_SYNTAX', 'COSE_Sign1 is malformed', { cause });
      }
      return new EifError('EIF_SIGNATURE_ALGORITHM', 'unknown signature algorithm', {
        found: String(cause.coseId),
        allowed: COSE_ALGORITHMS.map(({ coseId, name }) => `${coseId} (${name})`).join(', '),
        cause,
      });
    },
  );
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
  const envelope = parseImageSignature(coseSign1);
  const { algorithm, payload } = envelope;
  const ofKey = algorithmOfKey(chain.signer.publicKey);
  if (ofKey !== algorithm) {
    throw new EifError('EIF_SIGNATURE_ALGORITHM', 'the signature algorithm does not fit the certificate', {
      found: algorithm.name,
      allowed: ofKey.name,
    });
  }
  if (!isSignedBy(chain, envelope)) {
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
