/**
 * What binds a login to a TLS connection: the hash of the server's certificate, made by the hash function of its signature, so that
 * it is as strong as the certificate. MD5 and SHA-1 give way to SHA-256. Where the signature names no one hash function there is no
 * binding: Ed25519 and Ed448 above all, which PostgreSQL cannot bind to either.
 * Specification: RFC 5929 section 4.1; RFC 4055 sections 2.1, 3.1 and 5 and RFC 5758 section 3 for the identifiers; PostgreSQL 18,
 * src/backend/libpq/be-secure-openssl.c, be_tls_get_certificate_hash.
 */
import type { X509Certificate } from 'node:crypto';
import { createHash } from 'node:crypto';

const SEQUENCE = 0x30;
const OBJECT_IDENTIFIER = 0x06;
const HASH_PARAMETER = 0xa0;

/** Object identifiers as DER holds them, in hexadecimal. */
const RSA = '2a864886f70d0101';
const ECDSA = '2a8648ce3d04';
const RSA_PSS = `${RSA}0a`;
const NIST_HASHES = '6086480165030402';

const SIGNATURE_HASHES: Readonly<Record<string, string>> = {
  [`${RSA}04`]: 'md5',
  [`${RSA}05`]: 'sha1',
  [`${RSA}0e`]: 'sha224',
  [`${RSA}0b`]: 'sha256',
  [`${RSA}0c`]: 'sha384',
  [`${RSA}0d`]: 'sha512',
  [`${RSA}0f`]: 'sha512-224',
  [`${RSA}10`]: 'sha512-256',
  [`${ECDSA}01`]: 'sha1',
  [`${ECDSA}0301`]: 'sha224',
  [`${ECDSA}0302`]: 'sha256',
  [`${ECDSA}0303`]: 'sha384',
  [`${ECDSA}0304`]: 'sha512',
};
const PSS_HASHES: Readonly<Record<string, string>> = {
  '2b0e03021a': 'sha1',
  [`${NIST_HASHES}01`]: 'sha256',
  [`${NIST_HASHES}02`]: 'sha384',
  [`${NIST_HASHES}03`]: 'sha512',
  [`${NIST_HASHES}04`]: 'sha224',
  [`${NIST_HASHES}05`]: 'sha512-224',
  [`${NIST_HASHES}06`]: 'sha512-256',
};
const TOO_WEAK = ['md5', 'sha1'];

interface Element {
  readonly tag: number;
  /** Views. */
  readonly content: Buffer;
  readonly rest: Buffer;
}

/** The first element of DER that OpenSSL has accepted already; undefined where there is none. */
function firstElement(der: Buffer | undefined): Element | undefined {
  const [tag, short] = der ?? [];
  if (!der || tag === undefined || short === undefined) return undefined;
  const lengthBytes = short < 0x80 ? 0 : short & 0x7f;
  if (lengthBytes > 4 || der.length < 2 + lengthBytes) return undefined;
  const length = lengthBytes === 0 ? short & 0x7f : der.readUIntBE(2, lengthBytes);
  const start = 2 + lengthBytes;
  if (length > der.length - start) return undefined;
  return { tag, content: der.subarray(start, start + length), rest: der.subarray(start + length) };
}

function contentOf(der: Buffer | undefined, tag: number): Buffer | undefined {
  const element = firstElement(der);
  return element?.tag === tag ? element.content : undefined;
}

/** AlgorithmIdentifier of the signature: the second of the three parts of a certificate (RFC 5280 section 4.1). */
function signatureAlgorithm(certificate: Buffer): Buffer | undefined {
  return contentOf(firstElement(contentOf(certificate, SEQUENCE))?.rest, SEQUENCE);
}

/** RSASSA-PSS-params: `[0]` is the hash, and SHA-1 when it is left out (RFC 4055 section 3.1). */
function pssHash(parameters: Buffer | undefined): string | undefined {
  const members = contentOf(parameters, SEQUENCE);
  if (!members) return undefined;
  if (firstElement(members)?.tag !== HASH_PARAMETER) return 'sha1';
  const identifier = contentOf(contentOf(contentOf(members, HASH_PARAMETER), SEQUENCE), OBJECT_IDENTIFIER);
  return identifier && PSS_HASHES[identifier.toString('hex')];
}

function signatureHash(certificate: Buffer): string | undefined {
  const algorithm = signatureAlgorithm(certificate);
  const identifier = contentOf(algorithm, OBJECT_IDENTIFIER)?.toString('hex');
  if (identifier === undefined) return undefined;
  return identifier === RSA_PSS ? pssHash(firstElement(algorithm)?.rest) : SIGNATURE_HASHES[identifier];
}

/** tls-server-end-point of a server's certificate; undefined where it is not defined. */
export function tlsServerEndPoint({ raw }: X509Certificate): Buffer | undefined {
  const hash = signatureHash(raw);
  if (hash === undefined) return undefined;
  const digest = createHash(TOO_WEAK.includes(hash) ? 'sha256' : hash);
  return digest.update(raw).digest();
}
