/**
 * The client id that acra-server derives from a client certificate (acra-server contract 2.4): the hex of SHA-512 over
 * an identifier, which is either the subject as Go's crypto/x509/pkix prints it (encoding/distinguished-name.ts) or the bytes of
 * the serial number. The same identifier as text is the client's name in enclave.yaml (config/client-name.ts).
 */
import { createHash, X509Certificate } from 'node:crypto';
import { readCertificateParts } from '../encoding/asn1/certificate.ts';
import type { Asn1Node } from '../encoding/asn1/reader.ts';
import { TAG } from '../encoding/asn1/reader.ts';
import { expectMembers, expectTag } from '../encoding/asn1/shape.ts';
import { expectOidText, expectText } from '../encoding/asn1/text.ts';
import type { NameAttribute } from '../encoding/distinguished-name.ts';
import { printName } from '../encoding/distinguished-name.ts';
import { wrapFormatError } from '../encoding/format-error.ts';
import { AcraError } from './errors.ts';

export type CertificateIdentifier = 'distinguished_name' | 'serial_number';

function invalid(message: string, cause?: unknown): AcraError {
  return new AcraError('ACRA_CERTIFICATE_INVALID', message, cause === undefined ? {} : { cause });
}

/** TeletexString is refused: releases of Go read it differently. */
function attribute(node: Asn1Node): NameAttribute {
  const [oid, value] = expectMembers('attribute of the subject', node, TAG.sequence, 2);
  return { oid: expectOidText('type of an attribute', oid), value: expectText('attribute of the subject', value) };
}

function attributesOf({ raw }: X509Certificate): NameAttribute[] {
  return wrapFormatError(
    () =>
      readCertificateParts(raw).subject.children.flatMap((rdn) =>
        expectTag('RDN', rdn, TAG.set).children.map(attribute),
      ),
    (cause) => invalid('the subject has a form that acra-server does not read', cause),
  );
}

function readCertificate(pem: string | Buffer): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw invalid('the client certificate cannot be read', cause);
  }
}

/**
 * What enclave.yaml calls the client of this certificate.
 * @param pem anything after the first certificate is ignored
 * @returns the subject as acra-server prints it, or the serial number as bytes in capital hex digits
 * @throws AcraError ACRA_CERTIFICATE_INVALID
 */
export function clientNameFromCertificate(pem: string | Buffer, from: CertificateIdentifier): string {
  const certificate = readCertificate(pem);
  if (from === 'distinguished_name') {
    const subject = printName(attributesOf(certificate));
    if (subject === '') throw invalid('the subject of the certificate is empty');
    return subject;
  }
  const serial = certificate.serialNumber;
  if (!/^[0-9A-F]*[1-9A-F][0-9A-F]*$/.test(serial))
    throw invalid('the serial number of the certificate is not positive');
  return serial.length % 2 === 0 ? serial : `0${serial}`;
}

/**
 * @param name in the one spelling that there is for it (config/client-name.ts); another has an id that no certificate has
 * @returns 128 lower-case hex digits
 */
export function clientIdFromName(name: string, from: CertificateIdentifier): string {
  const identifier = Buffer.from(name, from === 'distinguished_name' ? 'utf8' : 'hex');
  return createHash('sha512').update(identifier).digest('hex');
}

/**
 * @param pem the client's certificate; anything after it is ignored
 * @returns 128 lower-case hex digits
 * @throws AcraError ACRA_CERTIFICATE_INVALID
 */
export function clientIdFromCertificate(pem: string | Buffer, from: CertificateIdentifier): string {
  return clientIdFromName(clientNameFromCertificate(pem, from), from);
}
