/** Whose question a document answers, and how old it is. Specification: nitro-formats 3.6 step 6. */
import { describeTime } from '../document/chain.ts';
import { AttestationError } from '../errors.ts';
import type { CheckedDemands } from './demands.ts';

/** @throws AttestationError ATTESTATION_NONCE_MISSING, ATTESTATION_NONCE_MISMATCH */
export function checkNonce(found: Buffer | undefined, demanded: Buffer): void {
  if (found === undefined || found.length === 0) {
    throw new AttestationError('ATTESTATION_NONCE_MISSING', 'the document has no nonce');
  }
  if (found.equals(demanded)) return;
  throw new AttestationError('ATTESTATION_NONCE_MISMATCH', 'the document has another nonce', {
    found: found.toString('hex'),
    allowed: demanded.toString('hex'),
  });
}

/** @throws AttestationError ATTESTATION_TOO_OLD, ATTESTATION_FROM_FUTURE */
export function checkAge(
  timestampMs: number,
  { nowMs, maxAgeMs, maxSkewMs }: Extract<CheckedDemands['time'], { by: 'clock' }>,
): string {
  const ageMs = nowMs - timestampMs;
  const madeAt = `made at ${describeTime(timestampMs)}`;
  if (ageMs > maxAgeMs) {
    throw new AttestationError('ATTESTATION_TOO_OLD', 'the document is too old', {
      found: `${madeAt}, ${ageMs} ms ago`,
      allowed: `${maxAgeMs} ms`,
    });
  }
  if (ageMs < -maxSkewMs) {
    throw new AttestationError('ATTESTATION_FROM_FUTURE', 'the document is from the future', {
      found: `${madeAt}, ${-ageMs} ms ahead`,
      allowed: `${maxSkewMs} ms ahead`,
    });
  }
  return madeAt;
}
