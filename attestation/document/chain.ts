/**
 * Verifies the certificate chain of an attestation document, leaf to pinned root; each rule is a step of its own, so that each can be
 * told (../verify/).
 * Specification: nitro-formats 3.6, chain steps 1-4; RFC 5280 section 6 as far as these chains use it. There is no
 * revocation: the certificates live for hours.
 */
import { AttestationError } from '../errors.ts';
import type { ChainCertificate } from './certificate.ts';
import { parseChainCertificate } from './certificate.ts';

export interface ChainTrust {
  /** DER of the only root that is trusted. */
  readonly rootDer: Buffer;
  /** The time at which every certificate must be valid. */
  readonly nowMs: number;
}

/** The leaf, and its issuers upwards: the last one is the pinned root. */
export interface ChainPath {
  readonly leaf: ChainCertificate;
  readonly issuers: readonly ChainCertificate[];
}

/** @param cabundle root first, as in the document. @throws AttestationError ATTESTATION_ROOT_MISMATCH */
export function checkRoot(cabundle: readonly Buffer[], rootDer: Buffer): void {
  if (cabundle[0]?.equals(rootDer)) return;
  throw new AttestationError('ATTESTATION_ROOT_MISMATCH', 'cabundle[0] is not the trusted root');
}

/**
 * The pinned root takes the place of the one in the document.
 * @throws AttestationError ATTESTATION_CERTIFICATE_INVALID
 */
export function readPath(leafDer: Buffer, cabundle: readonly Buffer[], rootDer: Buffer): ChainPath {
  const intermediates = cabundle.map((der, i) => [`cabundle[${i}]`, der] as const).slice(1);
  const issuers = [...intermediates.reverse(), ['the trusted root', rootDer] as const];
  return {
    leaf: parseChainCertificate('certificate', leafDer),
    issuers: issuers.map(([name, der]) => parseChainCertificate(name, der)),
  };
}

/** ISO 8601 where the number is a date at all. */
export function describeTime(timeMs: number): string {
  const date = new Date(timeMs);
  return Number.isNaN(date.getTime()) ? String(timeMs) : date.toISOString();
}

/** @throws AttestationError ATTESTATION_CERTIFICATE_NOT_YET_VALID, ATTESTATION_CERTIFICATE_EXPIRED */
export function checkValidity({ leaf, issuers }: ChainPath, nowMs: number): void {
  for (const { name, notBeforeMs, notAfterMs } of [leaf, ...issuers]) {
    if (!(nowMs >= notBeforeMs)) {
      throw new AttestationError('ATTESTATION_CERTIFICATE_NOT_YET_VALID', `${name} is not valid yet`, {
        found: `the time is ${describeTime(nowMs)}`,
        allowed: `from ${describeTime(notBeforeMs)}`,
      });
    }
    if (!(nowMs <= notAfterMs)) {
      throw new AttestationError('ATTESTATION_CERTIFICATE_EXPIRED', `${name} has expired`, {
        found: `the time is ${describeTime(nowMs)}`,
        allowed: `up to ${describeTime(notAfterMs)}`,
      });
    }
  }
}

/**
 * By names and signatures alone: OpenSSL's "was issued by" (X509_check_issued) would answer for key usage too, which has a step of its
 * own, and for key identifiers, which only help to find a path (RFC 5280 section 4.2.1.1).
 */
function isSignedBy(subject: ChainCertificate, issuer: ChainCertificate): boolean {
  try {
    return subject.issuer.equals(issuer.subject) && subject.x509.verify(issuer.x509.publicKey);
  } catch {
    return false;
  }
}

/** That each certificate was issued by the next one. @throws AttestationError ATTESTATION_CHAIN_BROKEN */
export function checkOrder({ leaf, issuers }: ChainPath): void {
  let subject = leaf;
  for (const issuer of issuers) {
    if (!isSignedBy(subject, issuer)) {
      throw new AttestationError('ATTESTATION_CHAIN_BROKEN', `${subject.name} was not issued by ${issuer.name}`);
    }
    subject = issuer;
  }
}

function constraint(name: string, what: string): AttestationError {
  return new AttestationError('ATTESTATION_CHAIN_CONSTRAINT', `${name} ${what}`);
}

/** Who is a CA, and over how many others. @throws AttestationError ATTESTATION_CHAIN_CONSTRAINT */
export function checkBasicConstraints({ leaf, issuers }: ChainPath): void {
  if (leaf.basicConstraints?.isCa) throw constraint(leaf.name, 'is a CA');
  if (leaf.basicConstraints?.pathLength !== undefined) throw constraint(leaf.name, 'has a path length');
  // So many CA certificates stand between an issuer and the leaf.
  for (const [issuedCas, { name, basicConstraints }] of issuers.entries()) {
    if (!basicConstraints?.critical || !basicConstraints.isCa) throw constraint(name, 'is not a CA');
    const { pathLength } = basicConstraints;
    if (pathLength !== undefined && issuedCas > pathLength) throw constraint(name, 'has a shorter path length');
  }
}

/** @throws AttestationError ATTESTATION_CHAIN_CONSTRAINT */
export function checkKeyUsage({ leaf, issuers }: ChainPath): void {
  if (!leaf.keyUsage?.digitalSignature) throw constraint(leaf.name, 'is not for digital signatures');
  for (const { name, keyUsage } of issuers) {
    if (!keyUsage?.keyCertSign) throw constraint(name, 'is not for signing certificates');
  }
}

/**
 * @param cabundle root first, as in the document; its first member must equal the pinned root, which takes its place
 * @returns the verified leaf
 * @throws AttestationError ATTESTATION_ROOT_MISMATCH, ATTESTATION_CERTIFICATE_INVALID, ATTESTATION_CERTIFICATE_EXPIRED,
 * ATTESTATION_CERTIFICATE_NOT_YET_VALID, ATTESTATION_CHAIN_BROKEN, ATTESTATION_CHAIN_CONSTRAINT
 */
export function verifyChain(leafDer: Buffer, cabundle: readonly Buffer[], trust: ChainTrust): ChainCertificate {
  checkRoot(cabundle, trust.rootDer);
  const path = readPath(leafDer, cabundle, trust.rootDer);
  checkValidity(path, trust.nowMs);
  checkOrder(path);
  checkBasicConstraints(path);
  checkKeyUsage(path);
  return path.leaf;
}
