/**
 * Whether certificates will be accepted where the enclave uses them: by acra-server, whose rules are those of Go's
 * crypto/x509 and its own for clients (acra-server contract 2.4 and 4), and by applications that verify the enclave.
 */

import {
  chainFault,
  isAcceptedSignature,
  isIssuedBy,
  lacksPurpose,
  PURPOSE,
  refusedAuthority,
  refusedIssuer,
} from '../../acra/certificate/chain.ts';
import type { CertificateFacts } from '../../acra/certificate/facts.ts';
import type { KeyErrorCode } from '../errors.ts';
import type { Finding } from '../finding.ts';
import { nameOf } from './certificate-facts.ts';
import type { CertificateFile } from './certificate-file.ts';
import { unusableKey } from './private-key.ts';

/** crypto/rsa refuses smaller ones. */
const MIN_CLIENT_RSA_BITS = 1024;

type Reason = Omit<Finding, 'file'>;

const reason = (code: KeyErrorCode, message: string, found?: string, allowed?: string): Reason => ({
  code,
  message,
  ...(found === undefined ? {} : { found }),
  ...(allowed === undefined ? {} : { allowed }),
});

function timeReasons(certificate: CertificateFacts, nowMs: number): Reason[] {
  const { validFromDate, validToDate } = certificate.x509;
  const valid = `${validFromDate.toISOString()} to ${validToDate.toISOString()}`;
  const now = new Date(nowMs).toISOString();
  const name = nameOf(certificate);
  if (nowMs > validToDate.getTime()) return [reason('CERTIFICATE_EXPIRED', `${name} has expired`, now, valid)];
  if (nowMs >= validFromDate.getTime()) return [];
  return [reason('CERTIFICATE_NOT_YET_VALID', `${name} is not valid yet`, now, valid)];
}

function formReasons(certificate: CertificateFacts, isRoot: boolean, minRsaBits?: number): Reason[] {
  const name = nameOf(certificate);
  const unusable = unusableKey(certificate.x509.publicKey, minRsaBits);
  return [
    unusable === undefined
      ? []
      : reason('CERTIFICATE_ALGORITHM', `${name} has a key that acra-server refuses`, unusable),
    isRoot || isAcceptedSignature(certificate)
      ? []
      : reason(
          'CERTIFICATE_ALGORITHM',
          `${name} was signed with an algorithm that acra-server refuses`,
          String(certificate.x509.signatureAlgorithm),
          'SHA-256 or longer with RSA or ECDSA; Ed25519',
        ),
    certificate.unknownCritical.length === 0
      ? []
      : reason('CERTIFICATE_EXTENSION', `${name} has a critical extension that acra-server does not know`),
  ].flat();
}

const isSelfSigned = (certificate: CertificateFacts) => isIssuedBy(certificate, certificate);

function orderReasons(certificates: readonly CertificateFacts[]): Reason[] {
  return certificates.slice(1).flatMap((issuer, index) => {
    const issued = certificates[index];
    if (issued === undefined || isIssuedBy(issued, issuer)) return [];
    const message = `certificate ${index + 1} (${nameOf(issued)}) was not issued by certificate ${index + 2} (${nameOf(issuer)})`;
    return reason('CERTIFICATE_CHAIN', message, undefined, 'the own certificate first, each followed by its issuer');
  });
}

const inFile = ({ file }: CertificateFile, reasons: readonly Reason[]): Finding[] =>
  reasons.map((each) => ({ ...each, file }));

/** Of the CAs that a server sends along; the one at the end applications must know themselves. */
function serverChainReasons(certificates: readonly CertificateFacts[], nowMs: number): Reason[] {
  return certificates.slice(1).flatMap((issuer, index) => {
    // Whoever trusts a root judges it by itself, and nobody else needs it.
    if (isSelfSigned(issuer)) return [];
    const times = timeReasons(issuer, nowMs);
    if (times.length > 0) return times;
    const refused = refusedIssuer(issuer, certificates.slice(0, index + 1), { purpose: PURPOSE.server, nowMs }, false);
    return refused === undefined ? [] : reason('CERTIFICATE_ISSUER', `${nameOf(issuer)} ${refused}`);
  });
}

function serverReasons(leaf: CertificateFacts): Reason[] {
  const name = nameOf(leaf);
  const not = (why: string, allowed?: string) => reason('CERTIFICATE_NOT_SERVER', `${name} ${why}`, undefined, allowed);
  const isNamed = leaf.alternativeNames.some(({ kind }) => kind === 'dns' || kind === 'ip');
  return [
    isNamed ? [] : not('has no DNS name or IP address as subject alternative name, so that clients refuse it'),
    leaf.isCa === true ? not('is a CA; a server needs a certificate of its own') : [],
    lacksPurpose(leaf, PURPOSE.server) ? not('is not for servers', 'extended key usage serverAuth') : [],
    leaf.keyUsage?.tlsServer === false
      ? not('may not be used for TLS (key usage), so that clients refuse it', 'key usage digitalSignature, or none')
      : [],
  ].flat();
}

/** What applications will see: named by its alternative names, for servers, in order, valid now. */
export function checkServerCertificate(read: CertificateFile, nowMs: number): Finding[] {
  const [leaf] = read.certificates;
  if (leaf === undefined) return [...read.findings];
  const order = orderReasons(read.certificates);
  return inFile(read, [
    ...serverReasons(leaf),
    ...formReasons(leaf, isSelfSigned(leaf)),
    ...timeReasons(leaf, nowMs),
    ...(order.length > 0 ? order : serverChainReasons(read.certificates, nowMs)),
  ]);
}

/** Why a certificate is no trust anchor of Go's: a CA, allowed to sign certificates, for this purpose, valid now. */
function anchorReasons(certificate: CertificateFacts, purpose: string, nowMs: number): Reason[] {
  const name = nameOf(certificate);
  const mayNot = (message: string) => reason('CERTIFICATE_NOT_CA', `${name} ${message}`);
  const refused = refusedAuthority(certificate, true);
  return [
    refused === undefined ? [] : mayNot(refused),
    lacksPurpose(certificate, purpose) ? mayNot('is a CA for another purpose (extended key usage)') : [],
    timeReasons(certificate, nowMs),
  ].flat();
}

/**
 * A file of trust anchors needs one that works: bundles often hold old ones too. Told is what is wrong with the first.
 * @param mayBeOwn a server's self-signed certificate is its own trust anchor
 */
export function checkAuthorities(read: CertificateFile, purpose: string, nowMs: number, mayBeOwn: boolean): Finding[] {
  const all = read.certificates.map((each) => {
    const reasons = anchorReasons(each, purpose, nowMs);
    const isOwn = mayBeOwn && each.isCa !== true && isSelfSigned(each);
    return isOwn ? timeReasons(each, nowMs) : reasons;
  });
  if (all.some((reasons) => reasons.length === 0)) return [];
  return [...read.findings, ...inFile(read, all[0]?.slice(0, 1) ?? [])];
}

function clientReasons(leaf: CertificateFacts): Reason[] {
  const name = nameOf(leaf);
  const not = (why: string, allowed?: string) => reason('CERTIFICATE_NOT_CLIENT', `${name} ${why}`, undefined, allowed);
  if (leaf.version < 3)
    return [not(`has version ${leaf.version}, which cannot say that it is for clients`, 'version 3')];
  const isForClients = leaf.extendedKeyUsage?.includes(PURPOSE.client) === true;
  const usage = 'extended key usage clientAuth, or none and key usage digitalSignature';
  return [
    leaf.isCa === true ? not('is a CA, and acra-server refuses those') : [],
    lacksPurpose(leaf, PURPOSE.client) ? not('is not for clients', usage) : [],
    lacksPurpose(leaf, PURPOSE.client) || isForClients || leaf.keyUsage?.digitalSignature === true
      ? []
      : not('does not say that it is for clients', usage),
  ].flat();
}

function chainReasons(
  leaf: CertificateFacts,
  others: readonly CertificateFacts[],
  authorities: readonly CertificateFacts[],
  nowMs: number,
): Reason[] {
  // Without an acceptable signature of its own the leaf has a finding already.
  if (authorities.length === 0 || !isAcceptedSignature(leaf)) return [];
  const fault = chainFault(leaf, others, authorities, { purpose: PURPOSE.client, nowMs });
  if (fault === undefined) return [];
  if (fault.kind === 'issuer') {
    const message = `${nameOf(leaf)} leads to ${nameOf(fault.issuer)}, which ${fault.reason}`;
    return [reason('CERTIFICATE_ISSUER', message)];
  }
  const foreign = `${nameOf(leaf)} was not issued by the client CA that enclave.yaml names`;
  const missing = `nobody has issued ${nameOf(fault.of)}, with which it comes: neither its own file nor the client CA’s`;
  const issuer = (fault.of.x509.issuer ?? '').split('\n').reverse().join(', ');
  return [reason('CERTIFICATE_OTHER_ISSUER', fault.of === leaf ? foreign : `${foreign}; ${missing}`, issuer)];
}

/** @param authorities those of the client CA; undefined when that could not be read */
export function checkClientCertificate(
  read: CertificateFile,
  authorities: readonly CertificateFacts[] | undefined,
  nowMs: number,
): Finding[] {
  const [leaf, ...others] = read.certificates;
  if (leaf === undefined) return [...read.findings];
  return inFile(read, [
    ...clientReasons(leaf),
    ...formReasons(leaf, false, MIN_CLIENT_RSA_BITS),
    ...timeReasons(leaf, nowMs),
    ...chainReasons(leaf, others, authorities ?? [], nowMs),
  ]);
}
