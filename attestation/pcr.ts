/**
 * Platform configuration registers: how an image measurement becomes a PCR and how an enclave extends one.
 * Specification: nitro-formats 3.2 (measured at launch), 3.5 (ExtendPCR).
 */
import { createHash } from 'node:crypto';

/** SHA-384, the hash of all PCRs on Nitro. */
export const PCR_BYTES = 48;
/** PCR 0-31. */
export const PCR_COUNT = 32;

/** @returns SHA384(0^48 ‖ SHA384(content)), 48 bytes; the content is the concatenation of the chunks. */
export function measurePcr(content: Iterable<Uint8Array>): Buffer {
  const digest = createHash('sha384');
  for (const chunk of content) digest.update(chunk);
  return extendPcrValue(Buffer.alloc(PCR_BYTES), digest.digest());
}

/**
 * What the hypervisor knows of the parent instance, as text: the ARN of its role (PCR3), its instance ID (PCR4). The text
 * goes into the register as it is; images and certificates are hashed before.
 * @returns SHA384(0^48 ‖ text), 48 bytes
 */
export function measureParentPcr(text: string): Buffer {
  return extendPcrValue(Buffer.alloc(PCR_BYTES), Buffer.from(text));
}

/** @returns SHA384(old ‖ data), 48 bytes. */
export function extendPcrValue(old: Buffer, data: Buffer): Buffer {
  return createHash('sha384').update(old).update(data).digest();
}

/** All zero: never extended, or the enclave runs in debug mode. */
export function isZeroPcr(value: Buffer): boolean {
  return value.every((byte) => byte === 0);
}
