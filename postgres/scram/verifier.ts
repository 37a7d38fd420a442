/**
 * What a server keeps of a password: enough to check a login and to prove itself, not enough to log in. The text is the one in
 * `pg_authid.rolpassword`: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, the last three in Base64.
 * Specification: PostgreSQL 18, "pg_authid", and src/common/scram-common.c, scram_build_secret.
 */

import { decodeBase64, encodeBase64 } from '../../runtime/base64.ts';
import type { Random } from '../../runtime/random.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { SCRAM_SHA_256 } from './exchange.ts';
import { deriveKeys, KEY_BYTES, MAX_ITERATIONS, MAX_SALT_BYTES, MIN_ITERATIONS, wipeKeys } from './keys.ts';

/** PostgreSQL's SCRAM_DEFAULT_SALT_LEN. */
export const SALT_BYTES = 16;
const MAX_VERIFIER_BYTES = 2048;

/** Its owner disposes of the keys: with StoredKey passwords can be guessed, with ServerKey the server can be played. */
export interface ScramVerifier {
  readonly iterations: number;
  readonly salt: Buffer;
  readonly storedKey: SecretBuffer;
  readonly serverKey: SecretBuffer;
}

export type VerifierReading =
  | { readonly kind: 'verifier'; readonly verifier: ScramVerifier }
  /** The reason says what is wrong and what is allowed, and holds nothing of the text. */
  | { readonly kind: 'refused'; readonly reason: string };

function refused(reason: string): VerifierReading {
  return { kind: 'refused', reason };
}

/** The parts between `$`, `:`, `$` and `:`, in this order. Views. */
function partsOf(text: Buffer): Buffer[] | undefined {
  const parts: Buffer[] = [];
  let from = 0;
  for (const separator of ['$', ':', '$', ':']) {
    const at = text.indexOf(separator, from);
    if (at === -1) return undefined;
    parts.push(text.subarray(from, at));
    from = at + 1;
  }
  return [...parts, text.subarray(from)];
}

function iterationsIn(text: Buffer | undefined): number | undefined {
  const digits = text?.toString('latin1') ?? '';
  const iterations = Number(digits);
  return /^[1-9]\d{0,9}$/.test(digits) && iterations >= MIN_ITERATIONS && iterations <= MAX_ITERATIONS
    ? iterations
    : undefined;
}

function keyIn(text: Buffer | undefined): SecretBuffer | undefined {
  const key = text && decodeBase64(text);
  if (key?.length === KEY_BYTES) return SecretBuffer.take(key);
  key?.fill(0);
  return undefined;
}

/** @param text without a line end; the caller zeroes it */
export function parseVerifier(text: Buffer): VerifierReading {
  const parts = text.length <= MAX_VERIFIER_BYTES ? partsOf(text) : undefined;
  if (parts?.[0]?.toString('latin1') !== SCRAM_SHA_256) {
    return refused('it is not of the form SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>');
  }
  const iterations = iterationsIn(parts[1]);
  if (iterations === undefined) return refused(`its iterations are not ${MIN_ITERATIONS} to ${MAX_ITERATIONS}`);
  const salt = decodeBase64(parts[2] ?? Buffer.alloc(0));
  if (!salt || salt.length === 0 || salt.length > MAX_SALT_BYTES) {
    return refused(`its salt is not Base64 of 1 to ${MAX_SALT_BYTES} bytes`);
  }
  const [storedKey, serverKey] = [keyIn(parts[3]), keyIn(parts[4])];
  if (storedKey && serverKey) return { kind: 'verifier', verifier: { iterations, salt, storedKey, serverKey } };
  storedKey?.dispose();
  serverKey?.dispose();
  return refused(`one of its keys is not Base64 of ${KEY_BYTES} bytes`);
}

/**
 * The text of a new verifier, as PostgreSQL would make it.
 * @param password UTF-8, as it is typed
 * @param iterations MIN_ITERATIONS to MAX_ITERATIONS
 */
export async function makeVerifier(
  password: SecretBuffer,
  random: Random,
  iterations = MIN_ITERATIONS,
): Promise<Buffer> {
  const salt = random.bytes(SALT_BYTES);
  const keys = await deriveKeys(password, salt, iterations);
  const [storedKey, serverKey] = [encodeBase64(keys.storedKey), encodeBase64(keys.serverKey)];
  const head = Buffer.from(`${SCRAM_SHA_256}$${iterations}:${salt.toString('base64')}$`);
  const text = Buffer.concat([head, storedKey, Buffer.from(':'), serverKey]);
  for (const part of [storedKey, serverKey]) part.fill(0);
  wipeKeys(keys);
  return text;
}
