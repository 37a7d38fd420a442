/** Makes one X.509 v3 certificate (RFC 5280), signed with ECDSA. Everything else in pki/ and nsm/ is built on it. */
import type { KeyObject } from 'node:crypto';
import { createPublicKey, randomBytes, sign } from 'node:crypto';
import { BitString, Integer } from 'asn1js';
import { AlgorithmIdentifier, Certificate, type Extension, PublicKeyInfo, Time } from 'pkijs';
import type { DistinguishedName } from './distinguished-name.ts';
import { encodeName } from './distinguished-name.ts';
import { authorityKeyIdentifier, subjectKeyIdentifier } from './extensions.ts';

/** ecdsa-with-SHA256 and ecdsa-with-SHA384, RFC 5758 3.2. */
const SIGNATURES = {
  sha256: '1.2.840.10045.4.3.2',
  sha384: '1.2.840.10045.4.3.3',
} as const;

/** UTCTime ends in 2049 (RFC 5280 4.1.2.5). */
const UTC_TIME_END_YEAR = 2050;

interface CertificateContent {
  readonly subject: DistinguishedName;
  readonly subjectKey: KeyObject;
  /** Absent: the certificate is signed with its own key. */
  readonly issuer?: { readonly certificateDer: Buffer };
  /** Private EC key of the issuer. */
  readonly issuerKey: KeyObject;
  readonly digest: keyof typeof SIGNATURES;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extensions: readonly Extension[];
}

function publicKeyInfo(key: KeyObject): PublicKeyInfo {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return PublicKeyInfo.fromBER(new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })));
}

function time(value: Date): Time {
  return new Time({ type: value.getUTCFullYear() < UTC_TIME_END_YEAR ? 0 : 1, value });
}

/** 16 random bytes, positive, with the top bits fixed so that the encoding is always the shortest one. */
function serialNumber(): Integer {
  const bytes = new Uint8Array(randomBytes(16));
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f);
  return new Integer({ valueHex: bytes.buffer });
}

/** @returns the certificate's DER. Times are cut to whole seconds. */
export function createCertificate(content: CertificateContent): Buffer {
  const certificate = new Certificate();
  const issuer = content.issuer && Certificate.fromBER(new Uint8Array(content.issuer.certificateDer));
  const algorithm = new AlgorithmIdentifier({ algorithmId: SIGNATURES[content.digest] });
  certificate.version = 2;
  certificate.serialNumber = serialNumber();
  certificate.signature = algorithm;
  certificate.signatureAlgorithm = algorithm;
  certificate.subject = encodeName(content.subject);
  certificate.issuer = issuer?.subject ?? certificate.subject;
  certificate.notBefore = time(content.notBefore);
  certificate.notAfter = time(content.notAfter);
  certificate.subjectPublicKeyInfo = publicKeyInfo(content.subjectKey);
  certificate.extensions = [
    ...content.extensions,
    subjectKeyIdentifier(certificate.subjectPublicKeyInfo),
    authorityKeyIdentifier(publicKeyInfo(content.issuerKey)),
  ];
  const toBeSigned = new Uint8Array(certificate.encodeTBS().toBER());
  certificate.tbsView = toBeSigned;
  const signature = sign(content.digest, toBeSigned, content.issuerKey);
  certificate.signatureValue = new BitString({ valueHex: new Uint8Array(signature).buffer });
  return Buffer.from(certificate.toSchema().toBER());
}

/** PEM text of a DER certificate (RFC 7468). */
export function toPem(certificateDer: Buffer): string {
  const lines = certificateDer.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
