/**
 * Makes one X.509 v3 certificate (RFC 5280), signed with ECDSA. Everything else in pki/ and nsm/ is built on it. The library
 * writes the structure; this says which of it an authority or a leaf of the emulated parties has.
 */
// The library's dependency injection asks for it, and before it is loaded.
import 'reflect-metadata';
import type { KeyObject } from 'node:crypto';
import { createPublicKey, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type { Extension } from '@peculiar/x509';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

const PURPOSES = { server: ExtendedKeyUsage.serverAuth, client: ExtendedKeyUsage.clientAuth } as const;
export type CertificatePurpose = keyof typeof PURPOSES;

interface NameAttribute {
  readonly type: 'C' | 'ST' | 'L' | 'O' | 'OU' | 'CN';
  readonly value: string;
}

/** In the order of the encoded name, one attribute in each relative name; RFC 2253 text shows it in reverse. */
export type DistinguishedName = readonly NameAttribute[];

interface CertificateContent {
  readonly subject: DistinguishedName;
  readonly subjectKey: KeyObject;
  /** Absent: the certificate is signed with its own key. */
  readonly issuer?: { readonly certificateDer: Buffer };
  /** Private EC key of the issuer. */
  readonly issuerKey: KeyObject;
  readonly digest: 'sha256' | 'sha384';
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** An authority, which signs certificates; absent: a leaf, which signs all else. */
  readonly authority?: { readonly pathLength?: number };
  readonly purpose?: CertificatePurpose;
  /** DNS names and IP addresses. */
  readonly subjectAltNames?: readonly string[];
}

interface TypedText {
  readonly printableString?: string;
  readonly utf8String?: string;
}

const HASHES = { sha256: 'SHA-256', sha384: 'SHA-384' } as const;
/** Names of the curves in Web Cryptography, by OpenSSL's. */
const CURVES: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384' };

function toCryptoKey(key: KeyObject, use: 'sign' | 'verify'): CryptoKey {
  const namedCurve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? 'unknown';
  return key.toCryptoKey({ name: 'ECDSA', namedCurve }, true, [use]);
}

function publicKeyOf(key: KeyObject): CryptoKey {
  return toCryptoKey(key.type === 'private' ? createPublicKey(key) : key, 'verify');
}

function encodeName(name: DistinguishedName): Name {
  const relativeName = ({ type, value }: NameAttribute): Record<string, TypedText[]> => ({
    [type]: [type === 'C' ? { printableString: value } : { utf8String: value }],
  });
  return new Name(name.map(relativeName));
}

/** 16 random bytes, positive, with the top bits fixed so that the encoding is always the shortest one. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f);
  return bytes.toString('hex');
}

async function extensionsOf(content: CertificateContent, subject: CryptoKey, issuer: CryptoKey): Promise<Extension[]> {
  const { authority, purpose, subjectAltNames = [] } = content;
  const usage = authority ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign : KeyUsageFlags.digitalSignature;
  const names = subjectAltNames.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }) as const);
  return [
    new BasicConstraintsExtension(authority !== undefined, authority?.pathLength, true),
    new KeyUsagesExtension(usage, true),
    ...(purpose === undefined ? [] : [new ExtendedKeyUsageExtension([PURPOSES[purpose]])]),
    ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)]),
    await SubjectKeyIdentifierExtension.create(subject),
    await AuthorityKeyIdentifierExtension.create(issuer),
  ];
}

/** @returns the certificate's DER. Times are cut to whole seconds. */
export async function createCertificate(content: CertificateContent): Promise<Buffer> {
  const subject = encodeName(content.subject);
  const publicKey = publicKeyOf(content.subjectKey);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject,
    issuer: content.issuer ? new X509Certificate(content.issuer.certificateDer).subjectName : subject,
    notBefore: content.notBefore,
    notAfter: content.notAfter,
    publicKey,
    signingKey: toCryptoKey(content.issuerKey, 'sign'),
    signingAlgorithm: { name: 'ECDSA', hash: HASHES[content.digest] },
    extensions: await extensionsOf(content, publicKey, publicKeyOf(content.issuerKey)),
  });
  return Buffer.from(certificate.rawData);
}

/** PEM text of a DER certificate (RFC 7468). */
export function toPem(certificateDer: Buffer): string {
  const lines = certificateDer.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
