/**
 * Whether Go's crypto/x509 reads a public key: OpenSSL reads more forms of the same keys, such as curves that are spelled out.
 * Kinds and curves that it does not know are told elsewhere, by name.
 * Specification: RFC 3279, 5480, 8410; Go 1.26, crypto/x509, parsePublicKey (parser.go).
 */
import type { Asn1Node } from '../../encoding/asn1/reader.ts';
import { TAG } from '../../encoding/asn1/reader.ts';
import { expectBitString, expectMembers, expectTag } from '../../encoding/asn1/shape.ts';
import { expectOidText } from '../../encoding/asn1/text.ts';
import { FormatError } from '../../encoding/format-error.ts';

const RSA = '1.2.840.113549.1.1.1';
const EC = '1.2.840.10045.2.1';
const WITHOUT_PARAMETERS: ReadonlySet<string> = new Set(['1.3.101.110', '1.3.101.112']);
const UNCOMPRESSED = 4;

/** @param spki SubjectPublicKeyInfo @throws FormatError */
export function requireReadableKey(spki: Asn1Node | undefined): void {
  const [algorithm, key] = expectMembers('public key', spki, TAG.sequence, 2);
  const [oid, parameters] = expectTag('algorithm of the public key', algorithm, TAG.sequence).children;
  const kind = expectOidText('algorithm of the public key', oid);
  const point = expectBitString('public key', key);
  if (kind === RSA && parameters?.tag !== TAG.null) throw new FormatError('the RSA key lacks its NULL parameters');
  if (WITHOUT_PARAMETERS.has(kind) && parameters !== undefined) throw new FormatError('the key has parameters');
  if (kind !== EC) return;
  if (parameters?.tag !== TAG.oid) {
    throw new FormatError('its curve is spelled out (explicit parameters) in the place of its name');
  }
  if (point[0] !== UNCOMPRESSED) throw new FormatError('the point of its key is not in the uncompressed form');
}
