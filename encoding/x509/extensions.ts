/**
 * Extensions of a server's certificate. Specification: RFC 5280 section 4.2.1; RFC 2986 and RFC 2985 section 5.4.2 for those that a
 * request asks for.
 */
import { createHash, type KeyObject, type X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { Asn1Node } from '../asn1/reader.ts';
import { readAsn1, TAG } from '../asn1/reader.ts';
import { expectBitString, expectMembers, expectTag } from '../asn1/shape.ts';
import { expectOidText } from '../asn1/text.ts';
import { writeOid } from '../asn1/values.ts';
import { writeDer } from '../asn1/writer.ts';
import { FormatError } from '../format-error.ts';

const OID = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

/** GeneralName: dNSName [2], iPAddress [7]; keyIdentifier [0] of an AuthorityKeyIdentifier. */
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;
const KEY_IDENTIFIER = 0x80;

function extension(oid: string, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [writeDer(TAG.boolean, Buffer.from([0xff]))] : [];
  return writeDer(TAG.sequence, writeOid(oid), ...critical, writeDer(TAG.octetString, value));
}

/** `::ffff:1.2.3.4`, which has its last four bytes in another form. */
const IPV4_AT_END = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/;

function ipv6Bytes(address: string): Buffer {
  const hex = address.replace(IPV4_AT_END, (_, ...bytes: string[]) => {
    const [a, b, c, d] = bytes.slice(0, 4).map((byte) => Number(byte).toString(16).padStart(2, '0'));
    return `${a}${b}:${c}${d}`;
  });
  const [head = '', tail] = hex.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':')).map((group) => group.padStart(4, '0'));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const between = tail === undefined ? [] : Array<string>(8 - before.length - after.length).fill('0000');
  return Buffer.from([...before, ...between, ...after].join(''), 'hex');
}

/** @returns 4 or 16 bytes, in network order. @throws FormatError */
function addressBytes(address: string): Buffer {
  const version = isIP(address);
  if (version === 0 || address.includes('%')) throw new FormatError('what should be an IP address is none');
  return version === 4 ? Buffer.from(address.split('.').map(Number)) : ipv6Bytes(address);
}

/** @param names DNS names and IP addresses */
export function alternativeNames(names: readonly string[]): Buffer {
  const written = names.map((name) =>
    isIP(name) === 0 ? writeDer(DNS_NAME, Buffer.from(name, 'ascii')) : writeDer(IP_ADDRESS, addressBytes(name)),
  );
  return extension(OID.alternativeNames, false, writeDer(TAG.sequence, ...written));
}

/** Of no CA. */
export function endEntity(): Buffer {
  return extension(OID.basicConstraints, true, writeDer(TAG.sequence));
}

/** digitalSignature, which is all that TLS 1.3 needs. */
export function signsHandshakes(): Buffer {
  const bits = Buffer.from([0x07, 0x80]);
  return extension(OID.keyUsage, true, writeDer(TAG.bitString, bits));
}

export function forServers(): Buffer {
  return extension(OID.extendedKeyUsage, false, writeDer(TAG.sequence, writeOid(OID.serverAuth)));
}

/** SHA-1 of the key's bits: a name, and no protection (RFC 5280 section 4.2.1.2, method 1). */
function keyIdentifier(publicKey: KeyObject): Buffer {
  const spki = readAsn1(publicKey.export({ type: 'spki', format: 'der' }), 'der');
  const [, bits] = expectMembers('public key', spki, TAG.sequence, 2);
  return createHash('sha1').update(expectBitString('public key', bits)).digest();
}

export function subjectKey(publicKey: KeyObject): Buffer {
  return extension(OID.subjectKeyIdentifier, false, writeDer(TAG.octetString, keyIdentifier(publicKey)));
}

/** What a certificate calls its key; undefined where it does not. */
function statedIdentifier(certificate: Buffer): Buffer | undefined {
  const [body] = expectMembers('certificate', readAsn1(certificate, 'der'), TAG.sequence, 3);
  const list = body?.children.find(({ tag }) => tag === TAG.contextConstructed3)?.children[0];
  const found = list?.children.find(
    ({ children: [oid] }) => expectOidText('extension', oid) === OID.subjectKeyIdentifier,
  );
  return (
    found &&
    expectTag('key identifier', readAsn1(expectOctetString(found.children.at(-1)), 'der'), TAG.octetString).content
  );
}

const expectOctetString = (node: Asn1Node | undefined) => expectTag('extension value', node, TAG.octetString).content;

function authorityKey(identifier: Buffer): Buffer {
  const value = writeDer(TAG.sequence, writeDer(KEY_IDENTIFIER, identifier));
  return extension(OID.authorityKeyIdentifier, false, value);
}

/** Of a certificate that is signed with its own key. */
export function ownAuthorityKey(publicKey: KeyObject): Buffer {
  return authorityKey(keyIdentifier(publicKey));
}

/** As the issuer's certificate names its key: whoever builds a chain compares the two. @throws FormatError */
export function authorityKeyOf({ raw, publicKey }: Pick<X509Certificate, 'raw' | 'publicKey'>): Buffer {
  return authorityKey(statedIdentifier(raw) ?? keyIdentifier(publicKey));
}
