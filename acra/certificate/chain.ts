/**
 * Whether a chain leads from a certificate through others to a trust anchor, as Go's crypto/x509 builds it for acra-server: an issuer is
 * one by name and signature, and each must be a CA that may issue what it did, for this purpose, now. The leaf itself is judged elsewhere
 * but for its purpose. Certificate policies are left alone: Go asks for none.
 * Specification: RFC 5280 section 6; Go 1.26, crypto/x509, Verify, buildChains, isValid and CheckSignatureFrom (verify.go, x509.go).
 */
import type { KeyObject } from 'node:crypto';
import type { CertificateFacts } from './facts.ts';
import { forbiddenName } from './name-constraints.ts';

/** Contents octets in hex: id-kp-serverAuth, id-kp-clientAuth, anyExtendedKeyUsage. */
export const PURPOSE = { server: '2b06010505070301', client: '2b06010505070302', any: '551d2500' } as const;

/** RSA PKCS #1 v1.5 and PSS, ECDSA with SHA-2, Ed25519: what Go verifies in a chain. */
const SIGNATURES: ReadonlySet<string> = new Set([
  '2a864886f70d01010a',
  '2a864886f70d01010b',
  '2a864886f70d01010c',
  '2a864886f70d01010d',
  '2a8648ce3d040302',
  '2a8648ce3d040303',
  '2a8648ce3d040304',
  '2b6570',
]);
const CURVES: ReadonlySet<string> = new Set(['secp224r1', 'prime256v1', 'secp384r1', 'secp521r1']);

/** A chain of so many is none that somebody meant. */
const MAX_OTHERS = 16;
/**
 * Go gives up after so many (maxChainSignatureChecks). Whoever shows certificates chooses how many ways there are: a dozen CAs of one name
 * and key have issued each other, and all their orders would take years.
 */
const MAX_SIGNATURES = 100;
/** Names times constraints, which an issuer of both chooses as well. */
const MAX_COMPARISONS = 250_000;

export interface ChainRules {
  readonly purpose: string;
  readonly nowMs: number;
}

/** Of the issuer that came nearest; `nobody`: there is none of that name and key. */
export type ChainFault =
  | { readonly kind: 'nobody'; readonly of: CertificateFacts }
  | { readonly kind: 'issuer'; readonly issuer: CertificateFacts; readonly reason: string };

export function isAcceptedSignature({ signatureAlgorithm }: CertificateFacts): boolean {
  return SIGNATURES.has(signatureAlgorithm);
}

export function lacksPurpose({ extendedKeyUsage }: CertificateFacts, purpose: string): boolean {
  return (
    extendedKeyUsage !== undefined && !extendedKeyUsage.includes(purpose) && !extendedKeyUsage.includes(PURPOSE.any)
  );
}

const isNamedAsIssuer = (issued: CertificateFacts, issuer: CertificateFacts) => issued.issuer.equals(issuer.subject);

const hasSigned = (issuer: CertificateFacts, issued: CertificateFacts) => issued.x509.verify(issuer.x509.publicKey);

export function isIssuedBy(issued: CertificateFacts, issuer: CertificateFacts): boolean {
  return isNamedAsIssuer(issued, issuer) && hasSigned(issuer, issued);
}

function canVerify({ asymmetricKeyType: type, asymmetricKeyDetails }: KeyObject): boolean {
  return type === 'rsa' || type === 'ed25519' || (type === 'ec' && CURVES.has(asymmetricKeyDetails?.namedCurve ?? ''));
}

/** Why Go takes the certificate for no CA, whatever it has issued; for people, to follow its name. */
export function refusedAuthority(certificate: CertificateFacts, isAnchor: boolean): string | undefined {
  const { isCa, version, keyUsage, unknownCritical, x509 } = certificate;
  // Version 1 knows no extensions; Go takes such a root at its word.
  if (!(isCa ?? (isAnchor && version < 3))) return 'is no CA (basic constraints)';
  if (keyUsage?.keyCertSign === false) return 'may not sign certificates (key usage)';
  if (unknownCritical.length > 0) return `has a critical extension that acra-server does not know (${unknownCritical})`;
  return canVerify(x509.publicKey) ? undefined : 'has a key whose signatures acra-server does not verify';
}

/** For people, to follow its name. */
export function refusedTime({ x509 }: CertificateFacts, nowMs: number): string | undefined {
  if (nowMs > x509.validToDate.getTime()) return `has expired (${x509.validToDate.toISOString()})`;
  if (nowMs >= x509.validFromDate.getTime()) return undefined;
  return `is not valid yet (${x509.validFromDate.toISOString()})`;
}

/**
 * Why an issuer may not have issued what is below it; for people, to follow its name.
 * @param below from the leaf up
 */
export function refusedIssuer(
  issuer: CertificateFacts,
  below: readonly CertificateFacts[],
  { purpose, nowMs }: ChainRules,
  isAnchor: boolean,
): string | undefined {
  const { maxPathLength = Number.POSITIVE_INFINITY, nameConstraints } = issuer;
  const refused = refusedAuthority(issuer, isAnchor) ?? refusedTime(issuer, nowMs);
  if (refused !== undefined) return refused;
  if (lacksPurpose(issuer, purpose)) return 'is a CA for another purpose (extended key usage)';
  if (below.length - 1 > maxPathLength) return `allows only ${maxPathLength} CAs below it (path length)`;
  if (nameConstraints === undefined) return undefined;
  const names = below.flatMap(({ alternativeNames }) => alternativeNames);
  const { permitted, excluded } = nameConstraints;
  if (names.length * (permitted.length + excluded.length) > MAX_COMPARISONS) return 'has too many name constraints';
  const forbidden = forbiddenName(names, nameConstraints);
  if (forbidden === undefined) return undefined;
  return `may not name ${forbidden.value.replace(/[^\x20-\x7e]/g, '?').slice(0, 100)} (name constraints)`;
}

interface Given extends ChainRules {
  readonly others: readonly CertificateFacts[];
  readonly anchors: readonly CertificateFacts[];
  /** How many may still be verified. */
  readonly signatures: { left: number };
}

/** The faults that were met on the way; empty as soon as a chain is whole. */
function climb(below: readonly CertificateFacts[], top: CertificateFacts, given: Given): ChainFault[] {
  const faults: ChainFault[] = [];
  const candidates = [
    ...given.anchors.map((issuer) => ({ issuer, isAnchor: true })),
    ...given.others.map((issuer) => ({ issuer, isAnchor: false })),
  ].filter(({ issuer }) => !below.includes(issuer) && isNamedAsIssuer(top, issuer));
  for (const { issuer, isAnchor } of candidates) {
    given.signatures.left -= 1;
    if (given.signatures.left < 0) break;
    if (!hasSigned(issuer, top)) continue;
    const signature = isAcceptedSignature(top) ? undefined : 'signed with an algorithm that acra-server refuses';
    const reason = signature ?? refusedIssuer(issuer, below, given, isAnchor);
    if (reason !== undefined) faults.push({ kind: 'issuer', issuer, reason });
    else if (isAnchor) return [];
    else {
      const above = climb([...below, issuer], issuer, given);
      if (above.length === 0) return [];
      faults.push(...above);
    }
  }
  return faults.length === 0 ? [{ kind: 'nobody', of: top }] : faults;
}

/**
 * @param others what came with the leaf, in any order
 * @param anchors what is trusted, whoever signed it
 * @returns undefined when there is a chain
 */
export function chainFault(
  leaf: CertificateFacts,
  others: readonly CertificateFacts[],
  anchors: readonly CertificateFacts[],
  rules: ChainRules,
): ChainFault | undefined {
  if (anchors.some(({ x509 }) => x509.raw.equals(leaf.x509.raw))) return undefined;
  const signatures = { left: MAX_SIGNATURES };
  const faults = climb([leaf], leaf, { ...rules, others: others.slice(0, MAX_OTHERS), anchors, signatures });
  return faults.find(({ kind }) => kind === 'issuer') ?? faults[0];
}
