/**
 * What a certificate says of itself, read as strictly as Go's crypto/x509, with which acra-server reads it: OpenSSL, and so Node, takes
 * much that Go refuses to read at all, and does not show the version, key usages and critical extensions.
 * Specification: RFC 5280 section 4; Go 1.26, crypto/x509, parseCertificate and processExtensions (parser.go).
 */
import { X509Certificate } from 'node:crypto';
import type { Asn1Node } from '../../encoding/asn1/reader.ts';
import { readAsn1, TAG } from '../../encoding/asn1/reader.ts';
import { expectBitString, expectMembers, expectOid, expectSmallInteger, expectTag } from '../../encoding/asn1/shape.ts';
import { expectOidText, expectText } from '../../encoding/asn1/text.ts';
import { FormatError } from '../../encoding/format-error.ts';
import type { AlternativeName } from './alternative-names.ts';
import { readAlternativeNames } from './alternative-names.ts';
import type { NameConstraints } from './name-constraints.ts';
import { readNameConstraints } from './name-constraints.ts';
import { requireReadableKey } from './public-key.ts';

interface KeyUsage {
  readonly digitalSignature: boolean;
  readonly keyCertSign: boolean;
  /** One of the three with which OpenSSL lets a certificate serve TLS: signature, encipherment or agreement. */
  readonly tlsServer: boolean;
}

export interface CertificateFacts {
  readonly x509: X509Certificate;
  readonly version: number;
  /** Names in DER: Go compares these. */
  readonly subject: Buffer;
  readonly issuer: Buffer;
  /** Undefined without basic constraints. */
  readonly isCa: boolean | undefined;
  /** How many CAs may stand between this one and a leaf; undefined: any number. */
  readonly maxPathLength: number | undefined;
  /** Undefined without the extension, or when it allows nothing: every use is allowed. */
  readonly keyUsage: KeyUsage | undefined;
  /** Contents octets in hex; undefined without the extension, or when it names none: every purpose is allowed. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  readonly alternativeNames: readonly AlternativeName[];
  readonly nameConstraints: NameConstraints | undefined;
  /** Contents octets in hex of the algorithm that it was signed with. */
  readonly signatureAlgorithm: string;
  /** Critical, and not handled by Go. */
  readonly unknownCritical: readonly string[];
}

interface Extension {
  readonly oid: string;
  readonly isCritical: boolean;
  readonly octets: Buffer;
}

const OID = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  authorityInformation: '1.3.6.1.5.5.7.1.1',
} as const;
const KNOWN: ReadonlySet<string> = new Set([
  ...Object.values(OID),
  ...[31, 32, 33, 36, 54].map((arc) => `2.5.29.${arc}`),
]);
const NEVER_CRITICAL: ReadonlySet<string> = new Set([
  OID.subjectKeyIdentifier,
  OID.authorityKeyIdentifier,
  OID.authorityInformation,
]);
/** Those that Go reads, and whose form we leave at DER of one value with this tag. */
const TAG_OF: ReadonlyMap<string, number> = new Map([
  [OID.subjectKeyIdentifier, TAG.octetString],
  [OID.authorityKeyIdentifier, TAG.sequence],
  [OID.authorityInformation, TAG.sequence],
  ...[31, 32, 33, 36].map((arc): [string, number] => [`2.5.29.${arc}`, TAG.sequence]),
  ['2.5.29.54', TAG.integer],
]);

function readExtension(node: Asn1Node): Extension {
  const [oid, second, third] = expectTag('extension', node, TAG.sequence).children;
  const hasCritical = second?.tag === TAG.boolean;
  const { content } = expectTag('extension value', hasCritical ? third : second, TAG.octetString);
  const name = expectOidText('extension', oid);
  const isCritical = hasCritical && readBoolean('critical', second);
  if (isCritical && NEVER_CRITICAL.has(name)) throw new FormatError(`the extension ${name} must not be critical`);
  return { oid: name, isCritical, octets: content };
}

function readBoolean(what: string, { content, offset }: Asn1Node): boolean {
  const [byte] = content;
  if (content.length === 1 && (byte === 0 || byte === 0xff)) return byte !== 0;
  throw new FormatError(`${what} is no boolean of DER`, offset);
}

function readVersion(node: Asn1Node | undefined): number {
  if (node?.tag !== TAG.contextConstructed0) return 1;
  const version = expectSmallInteger('version', node.children[0]) + 1;
  if (version <= 3) return version;
  throw new FormatError(`it has version ${version}, and there are only 1, 2 and 3`);
}

function readConstraints(value: Asn1Node): { isCa: boolean; maxPathLength: number | undefined } {
  const [first, second] = expectTag('basic constraints', value, TAG.sequence).children;
  const hasCa = first?.tag === TAG.boolean;
  const length = hasCa ? second : first;
  const maxPathLength = length?.tag === TAG.integer ? expectSmallInteger('path length', length) : undefined;
  return { isCa: hasCa && readBoolean('CA', first), maxPathLength };
}

function readKeyUsage(value: Asn1Node): KeyUsage | undefined {
  const [first = 0, second = 0] = expectBitString('key usage', value);
  if ((first | second) === 0) return undefined;
  return {
    digitalSignature: (first & 0x80) !== 0,
    keyCertSign: (first & 0x04) !== 0,
    tlsServer: (first & 0xa8) !== 0,
  };
}

function readPurposes(value: Asn1Node): readonly string[] | undefined {
  const { children } = expectTag('extended key usage', value, TAG.sequence);
  const purposes = children.map((purpose) => {
    expectOidText('extended key usage', purpose);
    return purpose.content.toString('hex');
  });
  return purposes.length === 0 ? undefined : purposes;
}

function readExtensions(list: Asn1Node | undefined): ReadonlyMap<string, Extension> {
  const extensions = new Map<string, Extension>();
  if (list === undefined) return extensions;
  for (const node of expectMembers('extensions', list, TAG.contextConstructed3, 1)[0]?.children ?? []) {
    const extension = readExtension(node);
    if (extensions.has(extension.oid)) throw new FormatError(`the extension ${extension.oid} stands there twice`);
    extensions.set(extension.oid, extension);
  }
  return extensions;
}

type ExtensionFacts = Pick<
  CertificateFacts,
  | 'isCa'
  | 'maxPathLength'
  | 'keyUsage'
  | 'extendedKeyUsage'
  | 'alternativeNames'
  | 'nameConstraints'
  | 'unknownCritical'
>;

function factsOfExtensions(extensions: ReadonlyMap<string, Extension>): ExtensionFacts {
  const read = <Result>(oid: string, reader: (value: Asn1Node) => Result): Result | undefined => {
    const extension = extensions.get(oid);
    return extension && reader(readAsn1(extension.octets, 'der'));
  };
  for (const [oid, tag] of TAG_OF) read(oid, (value) => expectTag(`extension ${oid}`, value, tag));
  const constraints = read(OID.basicConstraints, readConstraints);
  const alternativeNames = read(OID.alternativeNames, readAlternativeNames) ?? [];
  const nameConstraints = read(OID.nameConstraints, readNameConstraints);
  const isHandled = (oid: string) =>
    KNOWN.has(oid) &&
    (oid !== OID.alternativeNames || alternativeNames.length > 0) &&
    (oid !== OID.nameConstraints || nameConstraints?.hasUnknown !== true);
  return {
    isCa: constraints?.isCa,
    maxPathLength: constraints?.maxPathLength,
    keyUsage: read(OID.keyUsage, readKeyUsage),
    extendedKeyUsage: read(OID.extendedKeyUsage, readPurposes),
    alternativeNames,
    nameConstraints,
    unknownCritical: [...extensions.values()]
      .filter(({ oid, isCritical }) => isCritical && !isHandled(oid))
      .map(({ oid }) => oid),
  };
}

/** TeletexString, which Go takes for Latin-1, whatever it is. */
const TELETEX = 0x14;

function requireReadableName(what: string, node: Asn1Node | undefined): Buffer {
  const name = expectTag(what, node, TAG.sequence);
  for (const attribute of name.children.flatMap((rdn) => expectTag(what, rdn, TAG.set).children)) {
    const [, value] = expectMembers(what, attribute, TAG.sequence, 2);
    if (value?.tag !== TELETEX) expectText(what, value);
  }
  return name.raw;
}

/** UTCTime and GeneralizedTime, as Go reads them: no fractions, and days that there are. */
const TIMES: ReadonlyMap<number, RegExp> = new Map([
  [0x17, /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(Z|[+-]\d{4})$/],
  [0x18, /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(Z|[+-]\d{4})$/],
]);

function requireReadableTimes(validity: Asn1Node | undefined): void {
  for (const { tag, content, offset } of expectMembers('validity', validity, TAG.sequence, 2)) {
    const fields = TIMES.get(tag)?.exec(content.toString('latin1'));
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (fields ?? [])
      .slice(1, 7)
      .map((text) => Number(text ?? 0));
    const isReal = day >= 1 && day <= new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
    const isInRange = month >= 1 && month <= 12 && hour < 24 && minute < 60 && second < 60;
    if (!fields || !isReal || !isInRange) throw new FormatError('a time of its validity cannot be read', offset);
  }
}

function requirePublicKey(x509: X509Certificate): void {
  try {
    x509.publicKey.type;
  } catch (cause) {
    throw new FormatError('its public key cannot be read', undefined, cause);
  }
}

/** @throws what OpenSSL throws; FormatError for what Go refuses to read */
export function readCertificateFacts(der: Buffer): CertificateFacts {
  const x509 = new X509Certificate(der);
  const [tbs, algorithm, signature] = expectMembers('certificate', readAsn1(der, 'der'), TAG.sequence, 3);
  const fields = expectTag('body of the certificate', tbs, TAG.sequence).children;
  const version = readVersion(fields[0]);
  const [, inner, issuer, validity, subject, key, ...optional] =
    fields[0]?.tag === TAG.contextConstructed0 ? fields.slice(1) : fields;
  expectBitString('signature', signature);
  requireReadableKey(key);
  requirePublicKey(x509);
  requireReadableTimes(validity);
  const outerAlgorithm = expectTag('signature algorithm', algorithm, TAG.sequence);
  if (inner?.raw.equals(outerAlgorithm.raw) !== true) throw new FormatError('it names two signature algorithms');
  const list = version === 3 ? optional.find(({ tag }) => tag === TAG.contextConstructed3) : undefined;
  return {
    x509,
    version,
    subject: requireReadableName('subject', subject),
    issuer: requireReadableName('issuer', issuer),
    signatureAlgorithm: expectOid('signature algorithm', outerAlgorithm.children[0]).toString('hex'),
    ...factsOfExtensions(readExtensions(list)),
  };
}
