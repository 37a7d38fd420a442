/**
 * What is signed in X.509 and PKCS #10: SEQUENCE { what, AlgorithmIdentifier, BIT STRING }. The hash goes with the key.
 * Specification: RFC 5280 section 4.1.1; RFC 4055 section 5 (RSA), RFC 5758 section 3.2 (ECDSA), RFC 8410 section 6 (Ed25519).
 */
import { type KeyObject, sign } from 'node:crypto';
import { TAG } from '../asn1/reader.ts';
import { writeBitString, writeOid } from '../asn1/values.ts';
import { writeDer } from '../asn1/writer.ts';
import { FormatError } from '../format-error.ts';

interface SignatureAlgorithm {
  /** DER of the AlgorithmIdentifier. */
  readonly identifier: Buffer;
  readonly hash: string | null;
}

const NULL = writeDer(TAG.null);
const algorithm = (oid: string, hash: string | null, ...parameters: Buffer[]): SignatureAlgorithm => ({
  identifier: writeDer(TAG.sequence, writeOid(oid), ...parameters),
  hash,
});

export const ECDSA_SHA256 = algorithm('1.2.840.10045.4.3.2', 'sha256');
/** By OpenSSL's names of the curves. */
const BY_CURVE: Readonly<Record<string, SignatureAlgorithm>> = {
  prime256v1: ECDSA_SHA256,
  secp384r1: algorithm('1.2.840.10045.4.3.3', 'sha384'),
  secp521r1: algorithm('1.2.840.10045.4.3.4', 'sha512'),
};
const RSA_SHA256 = algorithm('1.2.840.113549.1.1.11', 'sha256', NULL);
const ED25519 = algorithm('1.3.101.112', null);

/** Of an RSA key, one on P-256, P-384 or P-521, or Ed25519. @throws FormatError for another */
export function signatureAlgorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): SignatureAlgorithm {
  if (asymmetricKeyType === 'rsa') return RSA_SHA256;
  if (asymmetricKeyType === 'ed25519') return ED25519;
  const found = BY_CURVE[asymmetricKeyDetails?.namedCurve ?? ''];
  if (asymmetricKeyType === 'ec' && found !== undefined) return found;
  throw new FormatError(`a key of the kind ${asymmetricKeyType} signs no certificates here`);
}

/** @param content DER. @param key private */
export function signed(content: Buffer, key: KeyObject): Buffer {
  const { identifier, hash } = signatureAlgorithmOf(key);
  return writeDer(TAG.sequence, content, identifier, writeBitString(sign(hash, content, key)));
}
