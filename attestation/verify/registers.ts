/** What the registers of a document show. Documents carry locked registers only: one that is missing was not locked. Specification: nitro-formats 3.2. */
import { toPcrIndex } from '../../wire/brands.ts';
import type { AttestationPayload } from '../document/payload.ts';
import { AttestationError } from '../errors.ts';
import { isZeroPcr } from '../pcr.ts';

type Registers = AttestationPayload['pcrs'];

/** Registers that measure the image; no image measures to zero. */
const IMAGE_PCRS = [0, 1, 2];
/** To which AWS and acra-enclave give a meaning. */
const KNOWN_PCRS: ReadonlySet<number> = new Set([0, 1, 2, 3, 4, 8, 16]);

function registerOf(pcrs: Registers, index: number): Buffer {
  const value = pcrs.get(toPcrIndex(index));
  if (value !== undefined) return value;
  throw new AttestationError('ATTESTATION_PCR_MISSING', `the document lacks PCR${index}: it is not locked`);
}

/** @throws AttestationError ATTESTATION_PCR_MISSING, ATTESTATION_DEBUG_MODE */
export function checkNotDebug(pcrs: Registers): void {
  for (const index of IMAGE_PCRS) {
    if (!isZeroPcr(registerOf(pcrs, index))) continue;
    throw new AttestationError('ATTESTATION_DEBUG_MODE', `PCR${index} is all zero: the enclave runs in debug mode`);
  }
}

/** @returns the value, for people. @throws AttestationError ATTESTATION_PCR_MISSING, ATTESTATION_PCR_MISMATCH */
export function checkRegister(pcrs: Registers, index: number, allowed: Buffer): string {
  const found = registerOf(pcrs, index);
  if (found.equals(allowed)) return found.toString('hex');
  throw new AttestationError('ATTESTATION_PCR_MISMATCH', `PCR${index} differs`, {
    found: found.toString('hex'),
    allowed: allowed.toString('hex'),
  });
}

/** @param demanded are known by that. @throws AttestationError ATTESTATION_PCR_UNKNOWN */
export function checkOtherRegisters(pcrs: Registers, demanded: ReadonlyMap<number, Buffer>): void {
  for (const [index, value] of pcrs) {
    if (KNOWN_PCRS.has(index) || demanded.has(index) || isZeroPcr(value)) continue;
    throw new AttestationError('ATTESTATION_PCR_UNKNOWN', `PCR${index} holds a value that nobody demanded`, {
      found: value.toString('hex'),
      allowed: 'all zero',
    });
  }
}
