/**
 * Reads ECDSA-Sig-Value, DER of SEQUENCE { INTEGER r, INTEGER s }, which HSMs, KMS and certificates have, as the raw r ‖ s of
 * COSE. Specification: RFC 3279 section 2.2.3; RFC 9053 section 2.1.
 */
import { FormatError } from '../format-error.ts';
import { readAsn1, TAG } from './reader.ts';
import { expectMembers, expectUnsignedInteger } from './shape.ts';

/**
 * @param signatureBytes of r ‖ s, both together
 * @returns undefined when the bytes are not such a DER value, in its only encoding, of numbers of that size
 */
export function ecdsaRawFromDer(der: Buffer, signatureBytes: number): Buffer | undefined {
  try {
    const halves = expectMembers('ECDSA-Sig-Value', readAsn1(der, 'der'), TAG.sequence, 2);
    return Buffer.concat(halves.map((half) => expectUnsignedInteger('r or s', half, signatureBytes / 2)));
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
