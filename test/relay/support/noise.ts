/** Megabytes of bytes that do not repeat, the same in each run: the key stream of AES-128-CTR. */
import { createCipheriv, createHash } from 'node:crypto';

export function noise(seed: string, length: number): Buffer {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}
