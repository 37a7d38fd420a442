/**
 * Writes the two structures that the key of a server needs: a certificate, and the request for one. Written here and not by a library,
 * because the enclave does it, and what the image holds is to be little (decision 24). Specification: RFC 5280 section 4.1; RFC 2986 (PKCS #10).
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { TAG } from '../asn1/reader.ts';
import { writeOid, writeTime, writeUnsignedInteger } from '../asn1/values.ts';
import { writeDer } from '../asn1/writer.ts';
import { alternativeNames, forServers, signsHandshakes } from './extensions.ts';
import { signatureAlgorithmOf, signed } from './signed.ts';

const COMMON_NAME = '2.5.4.3';
const SERIAL_NUMBER = '2.5.4.5';
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const VERSION_3 = Buffer.from([2]);
const REQUEST_VERSION = Buffer.from([0]);

function attribute(oid: string, tag: number, value: string): Buffer {
  return writeDer(TAG.set, writeDer(TAG.sequence, writeOid(oid), writeDer(tag, Buffer.from(value))));
}

/**
 * A name that no other key has, so that programs which look for an issuer by name find the right one among several.
 * @param serialNumber letters and digits
 * @returns DER
 */
export function writeSubject(commonName: string, serialNumber: string): Buffer {
  return writeDer(
    TAG.sequence,
    attribute(COMMON_NAME, TAG.utf8String, commonName),
    attribute(SERIAL_NUMBER, TAG.printableString, serialNumber),
  );
}

const spkiOf = (key: KeyObject): Buffer =>
  (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' });

export interface CertificateContent {
  /** Big-endian, positive, at most 20 bytes. */
  readonly serialNumber: Buffer;
  /** Names in DER. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly publicKey: KeyObject;
  /** Milliseconds since the epoch, cut to whole seconds. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** encoding/x509/extensions.ts */
  readonly extensions: readonly Buffer[];
}

/** @param issuerKey private. @returns DER of an X.509 v3 certificate. @throws FormatError */
export function writeCertificate(content: CertificateContent, issuerKey: KeyObject): Buffer {
  const validity = writeDer(TAG.sequence, writeTime(content.notBeforeMs), writeTime(content.notAfterMs));
  const body = writeDer(
    TAG.sequence,
    writeDer(TAG.contextConstructed0, writeDer(TAG.integer, VERSION_3)),
    writeUnsignedInteger(content.serialNumber),
    signatureAlgorithmOf(issuerKey).identifier,
    content.issuer,
    validity,
    content.subject,
    spkiOf(content.publicKey),
    writeDer(TAG.contextConstructed3, writeDer(TAG.sequence, ...content.extensions)),
  );
  return signed(body, issuerKey);
}

/** @param key private. @param names DNS names and IP addresses. @returns DER of a PKCS #10 request for a server's certificate */
export function writeCertificateRequest(key: KeyObject, subject: Buffer, names: readonly string[]): Buffer {
  const extensions = writeDer(TAG.sequence, alternativeNames(names), signsHandshakes(), forServers());
  const wanted = writeDer(TAG.sequence, writeOid(EXTENSION_REQUEST), writeDer(TAG.set, extensions));
  const body = writeDer(
    TAG.sequence,
    writeDer(TAG.integer, REQUEST_VERSION),
    subject,
    spkiOf(key),
    writeDer(TAG.contextConstructed0, wanted),
  );
  return signed(body, key);
}
