/**
 * The keys of SCRAM-SHA-256 and what is computed with them. ClientKey logs in, StoredKey is its hash, ServerKey proves the server.
 * Specification: RFC 5802 section 3; RFC 7677; PostgreSQL 18, src/common/scram-common.c.
 */
import { createHash, createHmac, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { preparePassword } from './saslprep.ts';

const HASH = 'sha256';
/** Keys, signatures and proofs are as long as the hash. */
export const KEY_BYTES = 32;
/** RFC 7677's least, and PostgreSQL's default. */
export const MIN_ITERATIONS = 4096;
/** Some 30 ms of a core, where 4,096 take one. */
export const MAX_ITERATIONS = 100_000;
export const MAX_SALT_BYTES = 1024;

const derive = promisify(pbkdf2);

/** Buffers of the caller's own, who wipes them. */
export interface ScramKeys {
  readonly clientKey: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

export function hmac(key: Buffer, message: Buffer | string): Buffer {
  return createHmac(HASH, key).update(message).digest();
}

/** StoredKey of a ClientKey. */
export function storedKeyOf(clientKey: Buffer): Buffer {
  return createHash(HASH).update(clientKey).digest();
}

/** Of two Buffers of the same length. Key and signature to proof, proof and signature to key. */
export function xor(one: Buffer, other: Buffer): Buffer {
  const result = Buffer.alloc(one.length);
  for (const [index, byte] of one.entries()) result[index] = byte ^ (other[index] ?? 0);
  return result;
}

export function wipeKeys(keys: ScramKeys): void {
  for (const key of Object.values(keys)) key.fill(0);
}

/** In the thread pool. @param password UTF-8 or whatever the client was given, as it was typed */
export async function deriveKeys(password: SecretBuffer, salt: Buffer, iterations: number): Promise<ScramKeys> {
  const prepared = password.use(preparePassword);
  try {
    const saltedPassword = await derive(prepared, salt, iterations, KEY_BYTES, HASH);
    const clientKey = hmac(saltedPassword, 'Client Key');
    const keys = { clientKey, storedKey: storedKeyOf(clientKey), serverKey: hmac(saltedPassword, 'Server Key') };
    saltedPassword.fill(0);
    return keys;
  } finally {
    prepared.fill(0);
  }
}
