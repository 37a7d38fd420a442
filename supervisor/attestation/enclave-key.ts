/**
 * The key pair by which clients encrypt to this boot of this enclave (HPKE with X25519, RFC 9180): made when the generator is seeded,
 * never stored, in every document as `public_key`. It is no TLS key and signs nothing.
 */
import type { KeyObject } from 'node:crypto';
import { generateKeyPairSync } from 'node:crypto';

export interface EnclaveKey {
  /** 32 bytes, as RFC 7748 writes them. */
  readonly publicKey: Buffer;
  /** OpenSSL holds it, outside the heap, and zeroes it when it is freed; it is exported nowhere. */
  readonly privateKey: KeyObject;
}

export function createEnclaveKey(): EnclaveKey {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return { publicKey: Buffer.from(x, 'base64url'), privateKey };
}
