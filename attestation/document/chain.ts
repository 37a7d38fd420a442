/**
 * Verifies the certificate chain of an attestation document, leaf to pinned root.
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

/** Leaf first, then the intermediates from its issuer upwards, then the pinned root. */
function buildPath(leafDer: Buffer, cabundle: readonly Buffer[], rootDer: Buffer): readonly ChainCertificate[] {
  if (!cabundle[0]?.equals(rootDer)) {
    throw new AttestationError('ATTESTATION_ROOT_MISMATCH', 'cabundle[0] is not the trusted root');
  }
  const intermediates = cabundle.map((der, i) => [`cabundle[${i}]`, der] as const).slice(1);
  const path = [['certificate', leafDer] as const, ...intermediates.reverse(), ['the trusted root', rootDer] as const];
  return path.map(([name, der]) => parseChainCertificate(name, der));
}

function checkValidity({ name, x509 }: ChainCertificate, nowMs: number): void {
  const notBefore = x509.validFromDate;
  const notAfter = x509.validToDate;
  if (!(nowMs >= notBefore.getTime())) {
    throw new AttestationError('ATTESTATION_CERTIFICATE_NOT_YET_VALID', `${name} is not valid yet`, {
      found: `the time is ${describeTime(nowMs)}`,
      allowed: `from ${describeTime(notBefore.getTime())}`,
    });
  }
  if (!(nowMs <= notAfter.getTime())) {
    throw new AttestationError('ATTESTATION_CERTIFICATE_EXPIRED', `${name} has expired`, {
      found: `the time is ${describeTime(nowMs)}`,
      allowed: `up to ${describeTime(notAfter.getTime())}`,
    });
  }
}

/** ISO 8601 where the number is a date at all. */
function describeTime(timeMs: number): string {
  const date = new Date(timeMs);
  return Number.isNaN(date.getTime()) ? String(timeMs) : date.toISOString();
}

function constraint(name: string, what: string): AttestationError {
  return new AttestationError('ATTESTATION_CHAIN_CONSTRAINT', `${name} ${what}`);
}

function checkLeaf({ name, basicConstraints, keyUsage }: ChainCertificate): void {
  if (basicConstraints?.isCa) throw constraint(name, 'is a CA');
  if (basicConstraints?.pathLength !== undefined) throw constraint(name, 'has a path length');
  if (!keyUsage?.digitalSignature) throw constraint(name, 'is not for digital signatures');
}

/** @param issuedCas how many CA certificates stand between this one and the leaf */
function checkCa({ name, basicConstraints, keyUsage }: ChainCertificate, issuedCas: number): void {
  if (!basicConstraints?.critical || !basicConstraints.isCa) throw constraint(name, 'is not a CA');
  const { pathLength } = basicConstraints;
  if (pathLength !== undefined && issuedCas > pathLength) throw constraint(name, 'has a shorter path length');
  if (!keyUsage?.keyCertSign) throw constraint(name, 'is not for signing certificates');
}

function isSignedBy(subject: ChainCertificate, issuer: ChainCertificate): boolean {
  try {
    return subject.x509.checkIssued(issuer.x509) && subject.x509.verify(issuer.x509.publicKey);
  } catch {
    return false;
  }
}

function checkLink(subject: ChainCertificate, issuer: ChainCertificate): void {
  if (subject.issuer.equals(issuer.subject) && isSignedBy(subject, issuer)) return;
  throw new AttestationError('ATTESTATION_CHAIN_BROKEN', `${subject.name} was not issued by ${issuer.name}`);
}

/**
 * @param cabundle root first, as in the document; its first member must equal the pinned root, which takes its place
 * @returns the verified leaf
 * @throws AttestationError ATTESTATION_ROOT_MISMATCH, ATTESTATION_CERTIFICATE_INVALID, ATTESTATION_CERTIFICATE_EXPIRED,
 * ATTESTATION_CERTIFICATE_NOT_YET_VALID, ATTESTATION_CHAIN_CONSTRAINT, ATTESTATION_CHAIN_BROKEN
 */
export function verifyChain(leafDer: Buffer, cabundle: readonly Buffer[], trust: ChainTrust): ChainCertificate {
  const path = buildPath(leafDer, cabundle, trust.rootDer);
  const [leaf, ...issuers] = path;
  if (leaf === undefined) throw constraint('the chain', 'is empty');
  for (const certificate of path) checkValidity(certificate, trust.nowMs);
  checkLeaf(leaf);
  let subject = leaf;
  for (const [issuedCas, issuer] of issuers.entries()) {
    checkCa(issuer, issuedCas);
    checkLink(subject, issuer);
    subject = issuer;
  }
  return leaf;
}
