/**
 * The three signature algorithms of image signatures: the curve of the key decides. Specification: nitro-formats 3.1,
 * "COSE_Sign1"; COSE numbers from RFC 9053 section 2.1 (its ES512 goes with P-521 here).
 */
import type { KeyObject } from 'node:crypto';
import { EifError } from '../errors.ts';

export interface SigningAlgorithm {
  readonly name: 'ES256' | 'ES384' | 'ES512';
  /** OpenSSL's name of the curve. */
  readonly curve: string;
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  readonly coseId: number;
  /** Raw r ‖ s. */
  readonly signatureBytes: number;
}

export const SIGNING_ALGORITHMS: readonly SigningAlgorithm[] = [
  { name: 'ES256', curve: 'prime256v1', hash: 'sha256', coseId: -7, signatureBytes: 64 },
  { name: 'ES384', curve: 'secp384r1', hash: 'sha384', coseId: -35, signatureBytes: 96 },
  { name: 'ES512', curve: 'secp521r1', hash: 'sha512', coseId: -36, signatureBytes: 132 },
];

/** @throws EifError EIF_KEY_CURVE */
export function algorithmOfKey(key: KeyObject): SigningAlgorithm {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const algorithm = SIGNING_ALGORITHMS.find((candidate) => candidate.curve === curve);
  if (key.asymmetricKeyType === 'ec' && algorithm !== undefined) return algorithm;
  throw new EifError('EIF_KEY_CURVE', 'the key cannot sign images', {
    found: curve ?? key.asymmetricKeyType ?? 'unknown',
    allowed: SIGNING_ALGORITHMS.map(({ curve: name }) => name).join(', '),
  });
}
