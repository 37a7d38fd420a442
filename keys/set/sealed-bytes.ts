/**
 * What key sets seal: AES-256-GCM under a key that seals one thing, so that a nonce is never used twice; nonce (12) ‖ ciphertext ‖ tag (16).
 * Specification: docs/specs/key-sets.md; NIST SP 800-38D.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Random } from '../../runtime/random.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES;

/** @returns bytes of a sealed secret of that length */
export const sealedLength = (plaintextBytes: number): number => OVERHEAD_BYTES + plaintextBytes;

interface Sealing {
  /** 32 bytes, used for nothing else. */
  readonly key: SecretBuffer;
  /** Associated data. */
  readonly bound: Buffer;
}

export function sealBytes(
  plaintext: SecretBuffer,
  { key, bound, random }: Sealing & { readonly random: Random },
): Buffer {
  const nonce = random.bytes(NONCE_BYTES);
  return key.use((keyBytes) =>
    plaintext.use((bytes) => {
      const cipher = createCipheriv(CIPHER, keyBytes, nonce).setAAD(bound);
      return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
    }),
  );
}

/** @returns undefined when it does not open, as with a key of another length; else the caller disposes it */
export function openBytes(sealed: Buffer, { key, bound }: Sealing): SecretBuffer | undefined {
  if (sealed.length < OVERHEAD_BYTES || key.length !== KEY_BYTES) return undefined;
  const tag = sealed.subarray(-TAG_BYTES);
  return key.use((keyBytes) => {
    const decipher = createDecipheriv(CIPHER, keyBytes, sealed.subarray(0, NONCE_BYTES)).setAAD(bound).setAuthTag(tag);
    const plaintext = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
    try {
      decipher.final();
    } catch {
      // OpenSSL has one word for everything that does not open.
      plaintext.fill(0);
      return undefined;
    }
    return SecretBuffer.take(plaintext);
  });
}
