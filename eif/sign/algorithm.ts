/** Which signature algorithm an image signature has: the curve of the key decides. Specification: nitro-formats 3.1. */
import type { KeyObject } from 'node:crypto';
import { COSE_ALGORITHMS, type CoseAlgorithm } from '../../encoding/cose-sign1.ts';
import { EifError } from '../errors.ts';

/** @throws EifError EIF_KEY_CURVE */
export function algorithmOfKey(key: KeyObject): CoseAlgorithm {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const algorithm = COSE_ALGORITHMS.find((candidate) => candidate.curve === curve);
  if (key.asymmetricKeyType === 'ec' && algorithm !== undefined) return algorithm;
  throw new EifError('EIF_KEY_CURVE', 'the key cannot sign images', {
    found: curve ?? key.asymmetricKeyType ?? 'unknown',
    allowed: COSE_ALGORITHMS.map(({ curve: name }) => name).join(', '),
  });
}
