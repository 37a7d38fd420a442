/**
 * The extensions of a certificate that decide where in a chain it may stand.
 * Specification: RFC 5280 sections 4.2, 4.2.1.3 (key usage), 4.2.1.9 (basic constraints).
 */
import type { Asn1Node } from '../../encoding/asn1/reader.ts';
import { readAsn1, TAG } from '../../encoding/asn1/reader.ts';
import { expectBitString, expectMembers, expectOid, expectSmallInteger, expectTag } from '../../encoding/asn1/shape.ts';
import { FormatError } from '../../encoding/format-error.ts';

interface BasicConstraints {
  readonly critical: boolean;
  readonly isCa: boolean;
  /** How many CA certificates may follow before the leaf; undefined: any number. */
  readonly pathLength: number | undefined;
}

interface KeyUsage {
  readonly digitalSignature: boolean;
  readonly keyCertSign: boolean;
}

export interface CertificateExtensions {
  readonly basicConstraints: BasicConstraints | undefined;
  readonly keyUsage: KeyUsage | undefined;
}

interface Extension {
  readonly critical: boolean;
  readonly value: Buffer;
}

/** 2.5.29.19 and 2.5.29.15, contents octets in hex. */
const OID_BASIC_CONSTRAINTS = '551d13';
const OID_KEY_USAGE = '551d0f';
const UNDERSTOOD: ReadonlySet<string> = new Set([OID_BASIC_CONSTRAINTS, OID_KEY_USAGE]);

const DER_TRUE = 0xff;
const BIT_DIGITAL_SIGNATURE = 0x80;
const BIT_KEY_CERT_SIGN = 0x04;

/** A BOOLEAN DEFAULT FALSE: DER writes it only when it is true. */
function isTrue(what: string, node: Asn1Node | undefined): boolean {
  if (node?.tag !== TAG.boolean) return false;
  if (node.content.length === 1 && node.content[0] === DER_TRUE) return true;
  throw new FormatError(`${what} must be TRUE or left out`, node.offset);
}

function readExtension(node: Asn1Node): [oid: string, extension: Extension] {
  const { children } = expectTag('extension', node, TAG.sequence);
  const oid = expectOid('extension', children[0]).toString('hex');
  const critical = isTrue('critical', children[1]);
  const value = expectTag('extension value', children[critical ? 2 : 1], TAG.octetString);
  if (children.length !== (critical ? 3 : 2)) throw new FormatError('extension has extra members', node.offset);
  return [oid, { critical, value: value.content }];
}

function readAll(node: Asn1Node | undefined): ReadonlyMap<string, Extension> {
  const [list] = expectMembers('extensions', node, TAG.contextConstructed3, 1);
  const extensions = new Map<string, Extension>();
  for (const child of expectTag('extensions', list, TAG.sequence).children) {
    const [oid, extension] = readExtension(child);
    if (extensions.has(oid)) throw new FormatError('extension is there twice', child.offset);
    if (extension.critical && !UNDERSTOOD.has(oid)) throw new FormatError('unknown critical extension', child.offset);
    extensions.set(oid, extension);
  }
  return extensions;
}

function readBasicConstraints(extension: Extension): BasicConstraints {
  const { children } = expectTag('basicConstraints', readAsn1(extension.value, 'der'), TAG.sequence);
  const isCa = isTrue('cA', children[0]);
  const rest = isCa ? children.slice(1) : children;
  if (rest.length > 1) throw new FormatError('basicConstraints has extra members');
  const pathLength = rest.length === 0 ? undefined : expectSmallInteger('pathLenConstraint', rest[0]);
  return { critical: extension.critical, isCa, pathLength };
}

/** Nine named bits, the first of them leftmost. */
function readKeyUsage(extension: Extension): KeyUsage {
  const content = expectBitString('keyUsage', readAsn1(extension.value, 'der'));
  const [bits = 0] = content;
  if (content.length < 1 || content.length > 2) throw new FormatError('keyUsage is malformed');
  return { digitalSignature: (bits & BIT_DIGITAL_SIGNATURE) !== 0, keyCertSign: (bits & BIT_KEY_CERT_SIGN) !== 0 };
}

/**
 * @param node the [3] member of a TBSCertificate
 * @throws FormatError
 */
export function readExtensions(node: Asn1Node | undefined): CertificateExtensions {
  const extensions = readAll(node);
  const basicConstraints = extensions.get(OID_BASIC_CONSTRAINTS);
  const keyUsage = extensions.get(OID_KEY_USAGE);
  return {
    basicConstraints: basicConstraints && readBasicConstraints(basicConstraints),
    keyUsage: keyUsage && readKeyUsage(keyUsage),
  };
}
