/**
 * Reads a request for the certificate of an enclave's TLS key. Strict: only what an enclave writes, whose signature proves that whoever
 * asks has the key. Specification: RFC 2986 sections 4.1 and 4.2; RFC 2985 section 5.4.2 (extensionRequest).
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { AlternativeName } from '../../acra/certificate/alternative-names.ts';
import { readAlternativeNames } from '../../acra/certificate/alternative-names.ts';
import type { Asn1Node } from '../../encoding/asn1/reader.ts';
import { readAsn1, TAG } from '../../encoding/asn1/reader.ts';
import { expectBitString, expectMembers, expectSmallInteger, expectTag } from '../../encoding/asn1/shape.ts';
import { expectOidText } from '../../encoding/asn1/text.ts';
import { FormatError } from '../../encoding/format-error.ts';
import { publicKeyDigest } from '../../encoding/public-key-hash.ts';
import { ECDSA_SHA256 } from '../../encoding/x509/signed.ts';
import { TlsKeyError } from './errors.ts';

const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const ALTERNATIVE_NAMES = '2.5.29.17';

export interface CertificateRequest {
  /** DER of the name. */
  readonly subject: Buffer;
  /** On P-256. */
  readonly publicKey: KeyObject;
  /** SHA-256 of the SubjectPublicKeyInfo, 32 bytes. */
  readonly keySha256: Buffer;
  /** DNS names and IP addresses, as `addressText` writes these. */
  readonly names: readonly AlternativeName[];
}

function namesIn(attributes: Asn1Node | undefined): readonly AlternativeName[] {
  const [wanted] = expectMembers('attributes', attributes, TAG.contextConstructed0, 1);
  const [oid, values] = expectMembers('attribute', wanted, TAG.sequence, 2);
  if (expectOidText('attribute', oid) !== EXTENSION_REQUEST) throw new FormatError('it asks for no extensions');
  const [list] = expectMembers('extensions', values, TAG.set, 1);
  for (const extension of expectTag('extensions', list, TAG.sequence).children) {
    const { children } = expectTag('extension', extension, TAG.sequence);
    if (expectOidText('extension', children[0]) !== ALTERNATIVE_NAMES) continue;
    const names = readAlternativeNames(readAsn1(expectTag('names', children.at(-1), TAG.octetString).content, 'der'));
    if (names.length > 0 && names.every(({ kind }) => kind === 'dns' || kind === 'ip')) return names;
  }
  throw new FormatError('it names no server');
}

function readKey(spki: Asn1Node): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: spki.raw, format: 'der', type: 'spki' });
  } catch (cause) {
    throw new FormatError('its key cannot be read', undefined, cause);
  }
  if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  throw new FormatError('its key is not on P-256');
}

function read(der: Buffer): CertificateRequest {
  const [body, algorithm, signature] = expectMembers('request', readAsn1(der, 'der'), TAG.sequence, 3);
  const [version, subject, spki, attributes] = expectMembers('body of the request', body, TAG.sequence, 4);
  if (expectSmallInteger('version', version) !== 0) throw new FormatError('it has another version than 0');
  const publicKey = readKey(expectTag('public key', spki, TAG.sequence));
  const bits = expectBitString('signature', signature);
  // Another count of unused bits would be another encoding of the same signature.
  const isOurs = algorithm?.raw.equals(ECDSA_SHA256.identifier) && signature?.content[0] === 0;
  if (!isOurs || !verify('sha256', expectTag('body', body, TAG.sequence).raw, publicKey, bits)) {
    throw new FormatError('its signature is not one of its key, by ECDSA with SHA-256');
  }
  const keySha256 = publicKeyDigest({ publicKey });
  return { subject: expectTag('subject', subject, TAG.sequence).raw, publicKey, keySha256, names: namesIn(attributes) };
}

/** @param der PKCS #10. @throws TlsKeyError TLS_REQUEST_INVALID */
export function readCertificateRequest(der: Buffer): CertificateRequest {
  try {
    return read(der);
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new TlsKeyError('TLS_REQUEST_INVALID', `the request cannot be taken: ${cause.message}`, { cause });
  }
}
