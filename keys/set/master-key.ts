/**
 * The master key in a key set: AES-256-GCM under the data key, with everything else of the set as associated data. Whoever has not the data
 * key can make none that opens, and can exchange nothing in one: not a file, not the generation, not the encryption context.
 * Specification: docs/specs/key-sets.md; NIST SP 800-38D. A data key seals one master key, so that a nonce is never used twice.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Random } from '../../runtime/random.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { KeyError } from '../errors.ts';
import { boundPart, type KeySet } from './key-set.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MASTER_KEY_BYTES = 32;

/** @param dataKey 32 bytes, used for nothing else @returns the whole set */
export function sealMasterKey(
  set: Omit<KeySet, 'masterKey'>,
  {
    masterKey,
    dataKey,
    random,
  }: { readonly masterKey: SecretBuffer; readonly dataKey: SecretBuffer; readonly random: Random },
): KeySet {
  const nonce = random.bytes(NONCE_BYTES);
  const sealed = dataKey.use((key) =>
    masterKey.use((plaintext) => {
      const cipher = createCipheriv(CIPHER, key, nonce).setAAD(boundPart({ ...set, masterKey: '' }));
      return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    }),
  );
  return { ...set, masterKey: sealed.toString('base64') };
}

/** @returns 32 bytes; the caller disposes them. @throws KeyError KEY_SET_UNSEALABLE */
export function openMasterKey(set: KeySet, dataKey: SecretBuffer): SecretBuffer {
  const sealed = Buffer.from(set.masterKey, 'base64');
  if (sealed.length !== NONCE_BYTES + MASTER_KEY_BYTES + TAG_BYTES) throw unsealable();
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const tag = sealed.subarray(-TAG_BYTES);
  return dataKey.use((key) => {
    const decipher = createDecipheriv(CIPHER, key, nonce).setAAD(boundPart(set)).setAuthTag(tag);
    const plaintext = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
    try {
      decipher.final();
    } catch (cause) {
      plaintext.fill(0);
      throw unsealable(cause);
    }
    return SecretBuffer.take(plaintext);
  });
}

function unsealable(cause?: unknown): KeyError {
  const details = cause === undefined ? {} : { cause };
  return new KeyError('KEY_SET_UNSEALABLE', 'the master key does not open with the data key that KMS gave', details);
}
