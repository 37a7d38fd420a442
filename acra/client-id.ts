/**
 * The client id that acra-server derives from a client certificate (acra-server contract 2.4): the hex of SHA-512 over
 * an identifier, which is either the subject as Go's crypto/x509/pkix prints it or the bytes of the serial number.
 *
 * Go does not print a subject as it stands in the certificate. Attributes of nine types are gathered by type and put
 * in a fixed order, several of one type into one multi-valued RDN, the last common name and serial number winning; all
 * other attributes follow one by one, as `OID=#hex`. The whole is then written back to front, escaped as RFC 2253 says.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { readCertificateParts } from '../encoding/asn1/certificate.ts';
import type { Asn1Node } from '../encoding/asn1/reader.ts';
import { TAG } from '../encoding/asn1/reader.ts';
import { expectMembers, expectTag } from '../encoding/asn1/shape.ts';
import { expectOidText, expectText } from '../encoding/asn1/text.ts';
import { writeDer } from '../encoding/asn1/writer.ts';
import { wrapFormatError } from '../encoding/format-error.ts';
import { AcraError } from './errors.ts';

export type CertificateIdentifier = 'distinguished_name' | 'serial_number';

interface Attribute {
  readonly oid: string;
  readonly value: string;
}

/** The types that Go knows by name, in the order in which it emits them before turning the whole around. */
const NAMED_TYPES = [
  { oid: '2.5.4.6', name: 'C', single: false },
  { oid: '2.5.4.8', name: 'ST', single: false },
  { oid: '2.5.4.7', name: 'L', single: false },
  { oid: '2.5.4.9', name: 'STREET', single: false },
  { oid: '2.5.4.17', name: 'POSTALCODE', single: false },
  { oid: '2.5.4.10', name: 'O', single: false },
  { oid: '2.5.4.11', name: 'OU', single: false },
  { oid: '2.5.4.3', name: 'CN', single: true },
  { oid: '2.5.4.5', name: 'SERIALNUMBER', single: true },
] as const;
const NAMED_OIDS: ReadonlySet<string> = new Set(NAMED_TYPES.map(({ oid }) => oid));

function invalid(message: string, cause?: unknown): AcraError {
  return new AcraError('ACRA_CERTIFICATE_INVALID', message, cause === undefined ? {} : { cause });
}

/** TeletexString is refused: releases of Go read it differently. */
function attribute(node: Asn1Node): Attribute {
  const [oid, value] = expectMembers('attribute of the subject', node, TAG.sequence, 2);
  return { oid: expectOidText('type of an attribute', oid), value: expectText('attribute of the subject', value) };
}

function attributesOf({ raw }: X509Certificate): Attribute[] {
  return wrapFormatError(
    () =>
      readCertificateParts(raw).subject.children.flatMap((rdn) =>
        expectTag('RDN', rdn, TAG.set).children.map(attribute),
      ),
    (cause) => invalid('the subject has a form that acra-server does not read', cause),
  );
}

/** RFC 2253, 2.4, as Go applies it. */
function escapeValue(value: string): string {
  const characters = [...value];
  return characters
    .map((character, index) => {
      const edgeSpace = character === ' ' && (index === 0 || index === characters.length - 1);
      const special = ',+"\\<>;'.includes(character) || (character === '#' && index === 0);
      return edgeSpace || special ? `\\${character}` : character;
    })
    .join('');
}

/** Go encodes the value anew, as PrintableString where it can; its encoder leaves `*` and `&` to UTF8String. */
function encodeOther({ oid, value }: Attribute): string {
  const printable = /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(value);
  const encoded = writeDer(printable ? TAG.printableString : TAG.utf8String, Buffer.from(value));
  return `${oid}=#${encoded.toString('hex')}`;
}

function printSubject(attributes: readonly Attribute[]): string {
  const others = attributes.filter(({ oid }) => !NAMED_OIDS.has(oid)).map(encodeOther);
  const named = NAMED_TYPES.flatMap(({ oid, name, single }) => {
    const all = attributes.filter((each) => each.oid === oid).map(({ value }) => value);
    const values = single ? all.slice(-1).filter((value) => value !== '') : all;
    return values.length === 0 ? [] : [values.map((value) => `${name}=${escapeValue(value)}`).join('+')];
  });
  return [...others, ...named].reverse().join(',');
}

function identifierOf(certificate: X509Certificate, from: CertificateIdentifier): Buffer {
  if (from === 'distinguished_name') {
    const subject = printSubject(attributesOf(certificate));
    if (subject === '') throw invalid('the subject of the certificate is empty');
    return Buffer.from(subject);
  }
  const serial = certificate.serialNumber;
  if (!/^[0-9A-F]*[1-9A-F][0-9A-F]*$/.test(serial))
    throw invalid('the serial number of the certificate is not positive');
  return Buffer.from(serial.length % 2 === 0 ? serial : `0${serial}`, 'hex');
}

/**
 * @param pem the client's certificate; anything after it is ignored
 * @returns 128 lower-case hex digits
 * @throws AcraError ACRA_CERTIFICATE_INVALID
 */
export function clientIdFromCertificate(pem: string | Buffer, from: CertificateIdentifier): string {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch (cause) {
    throw invalid('the client certificate cannot be read', cause);
  }
  return createHash('sha512').update(identifierOf(certificate, from)).digest('hex');
}
