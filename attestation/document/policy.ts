/**
 * What a verifier demands of an authentic document: which image, which configuration, whose question it answers, how
 * fresh it is. Measurements are never optional, and a debug-mode enclave is never accepted.
 * Specification: nitro-formats 3.2 (debug mode), 3.6 step 6.
 */
import type { PcrIndex } from '../../wire/brands.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import { AttestationError } from '../errors.ts';
import { isZeroPcr, PCR_BYTES } from '../pcr.ts';
import type { AttestationDocument } from './authenticate.ts';

export interface AttestationPolicy {
  /** At least one register, each with its 48 bytes. */
  readonly pcrs: ReadonlyMap<PcrIndex, Buffer>;
  /** Demanded when present. */
  readonly nonce?: Buffer;
  readonly maxAgeMs: number;
  /** How far the clock of the hypervisor may be ahead of ours; 5000 when absent. */
  readonly maxSkewMs?: number;
  readonly nowMs: number;
  /** Demanded when present. */
  readonly publicKey?: Buffer;
  /** Demanded when present. */
  readonly userData?: Buffer;
}

const DEFAULT_MAX_SKEW_MS = 5_000;

/** Registers that measure the image; no image measures to zero. */
const IMAGE_PCRS = [0, 1, 2].map(toPcrIndex);

function checkPolicy(policy: AttestationPolicy): void {
  if (policy.pcrs.size === 0) throw new AttestationError('ATTESTATION_POLICY_INVALID', 'the policy names no PCR');
  if ([policy.nowMs, policy.maxAgeMs, policy.maxSkewMs].some((time) => Number.isNaN(time))) {
    throw new AttestationError('ATTESTATION_POLICY_INVALID', 'a time in the policy is not a number');
  }
  for (const [index, value] of policy.pcrs) {
    if (value.length === PCR_BYTES) continue;
    throw new AttestationError('ATTESTATION_POLICY_INVALID', `PCR${index} of the policy has the wrong size`, {
      found: `${value.length} bytes`,
      allowed: `${PCR_BYTES} bytes`,
    });
  }
}

function missingPcr(index: PcrIndex): AttestationError {
  return new AttestationError('ATTESTATION_PCR_MISSING', `the document lacks PCR${index}`);
}

function checkNotDebug(document: AttestationDocument): void {
  for (const index of IMAGE_PCRS) {
    const value = document.pcrs.get(index);
    if (value === undefined) throw missingPcr(index);
    if (isZeroPcr(value)) {
      throw new AttestationError('ATTESTATION_DEBUG_MODE', `PCR${index} is all zero: the enclave runs in debug mode`);
    }
  }
}

function checkPcrs(document: AttestationDocument, policy: AttestationPolicy): void {
  for (const [index, allowed] of policy.pcrs) {
    const found = document.pcrs.get(index);
    if (found === undefined) throw missingPcr(index);
    if (found.equals(allowed)) continue;
    throw new AttestationError('ATTESTATION_PCR_MISMATCH', `PCR${index} differs`, {
      found: found.toString('hex'),
      allowed: allowed.toString('hex'),
    });
  }
}

function checkNonce(found: Buffer | undefined, demanded: Buffer | undefined): void {
  if (demanded === undefined) return;
  if (found === undefined) throw new AttestationError('ATTESTATION_NONCE_MISSING', 'the document has no nonce');
  if (!found.equals(demanded))
    throw new AttestationError('ATTESTATION_NONCE_MISMATCH', 'the document has another nonce');
}

function checkAge(timestampMs: number, policy: AttestationPolicy): void {
  const ageMs = policy.nowMs - timestampMs;
  const maxSkewMs = policy.maxSkewMs ?? DEFAULT_MAX_SKEW_MS;
  if (ageMs > policy.maxAgeMs) {
    throw new AttestationError('ATTESTATION_TOO_OLD', 'the document is too old', {
      found: `${ageMs} ms`,
      allowed: `${policy.maxAgeMs} ms`,
    });
  }
  if (ageMs < -maxSkewMs) {
    throw new AttestationError('ATTESTATION_FROM_FUTURE', 'the document is from the future', {
      found: `${-ageMs} ms ahead`,
      allowed: `${maxSkewMs} ms ahead`,
    });
  }
}

function checkBound(
  code: 'ATTESTATION_PUBLIC_KEY_MISMATCH' | 'ATTESTATION_USER_DATA_MISMATCH',
  found: Buffer | undefined,
  demanded: Buffer | undefined,
): void {
  if (demanded === undefined || found?.equals(demanded)) return;
  throw new AttestationError(code, 'the document does not bind what was demanded', {
    found: found === undefined ? 'nothing' : `another value of ${found.length} bytes`,
  });
}

/**
 * @throws AttestationError ATTESTATION_POLICY_INVALID, ATTESTATION_DEBUG_MODE, ATTESTATION_PCR_MISSING,
 * ATTESTATION_PCR_MISMATCH, ATTESTATION_NONCE_MISSING, ATTESTATION_NONCE_MISMATCH, ATTESTATION_TOO_OLD,
 * ATTESTATION_FROM_FUTURE, ATTESTATION_PUBLIC_KEY_MISMATCH, ATTESTATION_USER_DATA_MISMATCH
 */
export function enforceAttestationPolicy(document: AttestationDocument, policy: AttestationPolicy): void {
  checkPolicy(policy);
  checkNotDebug(document);
  checkPcrs(document, policy);
  checkNonce(document.nonce, policy.nonce);
  checkAge(document.timestampMs, policy);
  checkBound('ATTESTATION_PUBLIC_KEY_MISMATCH', document.publicKey, policy.publicKey);
  checkBound('ATTESTATION_USER_DATA_MISMATCH', document.userData, policy.userData);
}
