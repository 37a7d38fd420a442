/**
 * Which certificate an enclave takes for the TLS key that it has made: the parent brings it, so all is checked that clients rely on. It is
 * for this key, leads to the CA of the measured configuration, is valid now, is one that clients accept, and names what is configured.
 */
import { isIP } from 'node:net';
import { chainFault, isIssuedBy, PURPOSE, refusedTime } from '../../acra/certificate/chain.ts';
import type { CertificateFacts } from '../../acra/certificate/facts.ts';
import { publicKeySha256 } from '../../encoding/public-key-hash.ts';
import { MAX_CHAIN_CHARACTERS } from '../../wire/requests/parent-messages.ts';
import { requireNoFinding } from '../finding.ts';
import { nameOf } from './certificate-facts.ts';
import { readCertificateFile } from './certificate-file.ts';
import { checkServerCertificate } from './certificate-rules.ts';
import { TlsKeyError } from './errors.ts';

export interface CertificateDemands {
  /** Of the SubjectPublicKeyInfo, 32 bytes. */
  readonly keySha256: Buffer;
  /** Of the measured configuration. */
  readonly names: readonly string[];
  readonly authorities: readonly CertificateFacts[];
  readonly nowMs: number;
}

export interface AcceptedCertificate {
  /** In the order of the chain, without the CA at its end. */
  readonly certificates: readonly CertificateFacts[];
  readonly pem: string;
}

const WHAT = 'the certificate';

function readChain(pem: Buffer): readonly CertificateFacts[] {
  if (pem.length > MAX_CHAIN_CHARACTERS) {
    const found = `${pem.length} bytes`;
    throw new TlsKeyError('TLS_CERTIFICATE_INVALID', 'the chain is too long', {
      found,
      allowed: `${MAX_CHAIN_CHARACTERS} bytes`,
    });
  }
  const read = readCertificateFile(WHAT, pem);
  try {
    requireNoFinding(read.findings);
  } catch (cause) {
    throw new TlsKeyError('TLS_CERTIFICATE_INVALID', `${WHAT} cannot be read`, { cause });
  }
  return read.certificates;
}

function requireKey(leaf: CertificateFacts, { keySha256 }: CertificateDemands): void {
  const found = publicKeySha256(leaf.x509);
  const allowed = keySha256.toString('hex');
  if (found === allowed) return;
  throw new TlsKeyError('TLS_CERTIFICATE_OTHER_KEY', `${WHAT} is for another key`, { found, allowed });
}

function requireTime(leaf: CertificateFacts, { nowMs }: CertificateDemands): void {
  if (refusedTime(leaf, nowMs) === undefined) return;
  const { x509 } = leaf;
  throw new TlsKeyError('TLS_CERTIFICATE_NOT_VALID', `${WHAT} is not valid now`, {
    found: new Date(nowMs).toISOString(),
    allowed: `${x509.validFromDate.toISOString()} to ${x509.validToDate.toISOString()}`,
  });
}

/** As clients match names: a wildcard covers one label, and the common name counts for nothing. */
function isNamed({ x509 }: CertificateFacts, name: string): boolean {
  return (isIP(name) === 0 ? x509.checkHost(name, { subject: 'never' }) : x509.checkIP(name)) !== undefined;
}

function requireNames(leaf: CertificateFacts, { names }: CertificateDemands): void {
  const missing = names.filter((name) => !isNamed(leaf, name));
  if (missing.length === 0) return;
  throw new TlsKeyError('TLS_CERTIFICATE_OTHER_NAMES', `${WHAT} does not name ${missing.join(', ')}`, {
    found: leaf.x509.subjectAltName ?? 'no names',
    allowed: names.join(', '),
  });
}

/**
 * Up to the one that the CA of the configuration has issued. What comes behind it is the CA itself, which clients have, or says nothing: for a
 * public key anybody can make a certificate, and so put CAs of his own behind one that is sound.
 */
function upToAuthority(
  certificates: readonly CertificateFacts[],
  { authorities }: CertificateDemands,
): readonly CertificateFacts[] {
  const last = certificates.findIndex((each) => authorities.some((authority) => isIssuedBy(each, authority)));
  return last === -1 ? certificates : certificates.slice(0, last + 1);
}

function requireChain([leaf, ...others]: readonly CertificateFacts[], demands: CertificateDemands): void {
  const { authorities, nowMs } = demands;
  const fault = leaf && chainFault(leaf, others, authorities, { purpose: PURPOSE.server, nowMs });
  if (fault === undefined) return;
  const why =
    fault.kind === 'issuer'
      ? `leads to ${nameOf(fault.issuer)}, which ${fault.reason}`
      : `does not lead to the CA of the measured configuration: nobody has issued ${nameOf(fault.of)}`;
  throw new TlsKeyError('TLS_CERTIFICATE_OTHER_CA', `${WHAT} ${why}`, {
    found:
      (fault.kind === 'nobody' ? fault.of.x509.issuer : fault.issuer.x509.subject)?.split('\n').join(', ') ?? 'no name',
    allowed: authorities.map(nameOf).join('; '),
  });
}

/**
 * @param pem the certificate, behind it the CAs between it and the one of the configuration
 * @throws TlsKeyError TLS_CERTIFICATE_INVALID, TLS_CERTIFICATE_OTHER_KEY, TLS_CERTIFICATE_NOT_VALID, TLS_CERTIFICATE_OTHER_CA,
 * TLS_CERTIFICATE_OTHER_NAMES
 */
export function acceptCertificate(pem: Buffer, demands: CertificateDemands): AcceptedCertificate {
  const brought = readChain(pem);
  const [leaf] = brought;
  if (leaf === undefined) throw new TlsKeyError('TLS_CERTIFICATE_INVALID', 'there is no certificate');
  requireKey(leaf, demands);
  requireTime(leaf, demands);
  const certificates = upToAuthority(brought, demands);
  requireChain(certificates, demands);
  requireNames(leaf, demands);
  try {
    requireNoFinding(checkServerCertificate({ file: WHAT, certificates, findings: [] }, demands.nowMs));
  } catch (cause) {
    throw new TlsKeyError('TLS_CERTIFICATE_INVALID', 'clients would refuse it', { cause });
  }
  return { certificates, pem: certificates.map(({ x509 }) => x509.toString()).join('') };
}
