/**
 * Whether certificates will be accepted where the enclave uses them: by acra-server, whose rules are those of Go's
 * crypto/x509 and its own for clients (acra-server contract 2.4 and 4), and by applications that verify the enclave.
 */
import type { KeyErrorCode } from '../errors.ts';
import type { Finding } from '../finding.ts';
import type { CertificateFacts } from './certificate-facts.ts';
import { nameOf } from './certificate-facts.ts';
import type { CertificateFile } from './certificate-file.ts';
import { unusableKey } from './private-key.ts';

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
    isRoot || SIGNATURES.has(certificate.signatureAlgorithm)
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

const isIssuedBy = (issued: CertificateFacts, issuer: CertificateFacts): boolean =>
  issued.x509.checkIssued(issuer.x509) && issued.x509.verify(issuer.x509.publicKey);

/** Not `checkIssued`, which asks for a CA. */
const isSelfSigned = ({ x509 }: CertificateFacts) => x509.subject === x509.issuer && x509.verify(x509.publicKey);

const lacksPurpose = ({ extendedKeyUsage }: CertificateFacts, purpose: string) =>
  extendedKeyUsage !== undefined && !extendedKeyUsage.includes(purpose) && !extendedKeyUsage.includes(PURPOSE.any);

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

/** What applications will see: named by its alternative names, for servers, in order, valid now. */
export function checkServerCertificate(read: CertificateFile, nowMs: number): Finding[] {
  const [leaf] = read.certificates;
  if (leaf === undefined) return [...read.findings];
  const name = nameOf(leaf);
  const reasons = [
    leaf.x509.subjectAltName === undefined
      ? reason('CERTIFICATE_NOT_SERVER', `${name} has no subject alternative name, so that clients refuse it`)
      : [],
    leaf.isCa === true
      ? reason('CERTIFICATE_NOT_SERVER', `${name} is a CA; a server needs a certificate of its own`)
      : [],
    lacksPurpose(leaf, PURPOSE.server)
      ? reason('CERTIFICATE_NOT_SERVER', `${name} is not for servers`, undefined, 'extended key usage serverAuth')
      : [],
  ].flat();
  const chain = read.certificates.filter((each, index) => index === 0 || !isSelfSigned(each));
  const times = chain.flatMap((each) => timeReasons(each, nowMs));
  return inFile(read, [
    ...reasons,
    ...formReasons(leaf, isSelfSigned(leaf)),
    ...orderReasons(read.certificates),
    ...times,
  ]);
}

/** Why a certificate is no trust anchor of Go's: a CA, allowed to sign certificates, for this purpose, valid now. */
function anchorReasons(certificate: CertificateFacts, purpose: string, nowMs: number): Reason[] {
  const name = nameOf(certificate);
  const { isCa, version, keyUsage } = certificate;
  // Version 1 knows no extensions; Go takes such a root at its word.
  const isAuthority = isCa ?? version < 3;
  const mayNot = (message: string) => reason('CERTIFICATE_NOT_CA', `${name} ${message}`);
  return [
    isAuthority ? [] : mayNot('is no CA (basic constraints)'),
    keyUsage?.keyCertSign === false ? mayNot('may not sign certificates (key usage)') : [],
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

/** Whether a chain leads from the leaf through the file's other certificates to one of the authorities. */
function isTrusted(
  leaf: CertificateFacts,
  others: readonly CertificateFacts[],
  authorities: readonly CertificateFacts[],
) {
  const seen = new Set([leaf]);
  for (const each of seen) {
    if (authorities.some((authority) => each.x509.raw.equals(authority.x509.raw) || isIssuedBy(each, authority)))
      return true;
    for (const other of others) if (other.isCa === true && isIssuedBy(each, other)) seen.add(other);
  }
  return false;
}

/** @param authorities those of the client CA; undefined when that could not be read */
export function checkClientCertificate(
  read: CertificateFile,
  authorities: readonly CertificateFacts[] | undefined,
  nowMs: number,
): Finding[] {
  const [leaf, ...others] = read.certificates;
  if (leaf === undefined) return [...read.findings];
  const isForeign = authorities !== undefined && authorities.length > 0 && !isTrusted(leaf, others, authorities);
  const foreign = `${nameOf(leaf)} was not issued by the client CA that enclave.yaml names`;
  return inFile(read, [
    ...clientReasons(leaf),
    ...formReasons(leaf, false, MIN_CLIENT_RSA_BITS),
    ...timeReasons(leaf, nowMs),
    ...(isForeign
      ? [reason('CERTIFICATE_OTHER_ISSUER', foreign, (leaf.x509.issuer ?? '').split('\n').reverse().join(', '))]
      : []),
  ]);
}
