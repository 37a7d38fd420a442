/**
 * What a certificate says of itself, read as Go's crypto/x509 does: Node shows neither the version nor which key usages and
 * critical extensions there are. Specification: RFC 5280 section 4; Go's x509/parser.go for what it refuses.
 */
import { createHash, X509Certificate } from 'node:crypto';
import type { Asn1Node } from '../../encoding/asn1/reader.ts';
import { readAsn1, TAG } from '../../encoding/asn1/reader.ts';
import { expectOid, expectTag } from '../../encoding/asn1/shape.ts';

export interface CertificateFacts {
  readonly x509: X509Certificate;
  readonly version: number;
  /** Undefined without basic constraints. */
  readonly isCa: boolean | undefined;
  /** Undefined without the extension: every use is allowed. */
  readonly keyUsage: { readonly digitalSignature: boolean; readonly keyCertSign: boolean } | undefined;
  /** Contents octets in hex; undefined without the extension. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  /** Contents octets in hex of the algorithm that it was signed with. */
  readonly signatureAlgorithm: string;
  /** Critical, and unknown to Go: contents octets in hex. */
  readonly unknownCritical: readonly string[];
}

/** Contents octets in hex. */
const OID = { keyUsage: '551d0f', basicConstraints: '551d13', extendedKeyUsage: '551d25' } as const;
/** Those of 2.5.29 that Go handles, and authority information access. */
const KNOWN: ReadonlySet<string> = new Set([
  ...[14, 15, 17, 19, 30, 31, 32, 33, 35, 36, 37, 54].map((arc) => `551d${arc.toString(16).padStart(2, '0')}`),
  '2b06010505070101',
]);

const BIT_DIGITAL_SIGNATURE = 0x80;
const BIT_KEY_CERT_SIGN = 0x04;

interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Asn1Node;
}

function readExtension(node: Asn1Node): Extension {
  const [oid, second, third] = expectTag('extension', node, TAG.sequence).children;
  const critical = second?.tag === TAG.boolean;
  const octets = expectTag('extension value', critical ? third : second, TAG.octetString).content;
  const name = expectOid('extension', oid).toString('hex');
  const isRead = name === OID.keyUsage || name === OID.basicConstraints || name === OID.extendedKeyUsage;
  const value = isRead ? readAsn1(octets, 'der') : node;
  return { oid: name, critical: critical && second.content[0] !== 0, value };
}

function readVersion(node: Asn1Node | undefined): number {
  return node?.tag === TAG.contextConstructed0 ? (node.children[0]?.content[0] ?? 0) + 1 : 1;
}

/** @throws what OpenSSL throws; FormatError */
export function readCertificateFacts(der: Buffer): CertificateFacts {
  const x509 = new X509Certificate(der);
  const [tbs, algorithm] = expectTag('certificate', readAsn1(der, 'der'), TAG.sequence).children;
  const fields = expectTag('the body', tbs, TAG.sequence).children;
  const version = readVersion(fields[0]);
  const list = fields.find(({ tag }) => tag === TAG.contextConstructed3)?.children[0]?.children ?? [];
  const extensions = list.map(readExtension);
  const find = (oid: string) => extensions.find((extension) => extension.oid === oid)?.value;
  const constraints = find(OID.basicConstraints)?.children[0];
  const usage = find(OID.keyUsage)?.content[1];
  return {
    x509,
    version,
    isCa: find(OID.basicConstraints) && constraints?.tag === TAG.boolean && constraints.content[0] !== 0,
    keyUsage: find(OID.keyUsage) && {
      digitalSignature: ((usage ?? 0) & BIT_DIGITAL_SIGNATURE) !== 0,
      keyCertSign: ((usage ?? 0) & BIT_KEY_CERT_SIGN) !== 0,
    },
    extendedKeyUsage: find(OID.extendedKeyUsage)?.children.map(({ content }) => content.toString('hex')),
    signatureAlgorithm: expectOid('signature algorithm', algorithm?.children[0]).toString('hex'),
    unknownCritical: extensions.filter(({ oid, critical }) => critical && !KNOWN.has(oid)).map(({ oid }) => oid),
  };
}

/** Subject on one line; the serial number of a certificate without. */
export function nameOf({ x509 }: CertificateFacts): string {
  const subject = (x509.subject ?? '').split('\n').reverse().join(', ');
  return subject === '' ? `serial number ${x509.serialNumber}` : subject;
}

/** SHA-256 of SubjectPublicKeyInfo, in hex. */
export function publicKeySha256({ publicKey }: X509Certificate): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}
