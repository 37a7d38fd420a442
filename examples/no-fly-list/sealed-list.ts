/** The list as it lies in a file: AES-256-GCM under a data key, which lies beside it as KMS encrypted it. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;

/** KMS demands the same when it opens the data key. */
export const CONTEXT = { purpose: 'no-fly-list' };

export interface SealedList {
  readonly keyArn: string;
  /** The data key, encrypted by KMS; base64, as all below. */
  readonly key: string;
  readonly nonce: string;
  readonly tag: string;
  readonly names: string;
}

/** The same name however somebody writes it. */
export function nameOf(text: string): string {
  return text.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase();
}

/** @param key 32 bytes @param encryptedKey the same, as KMS encrypted it */
export function sealList(
  names: readonly string[],
  keyArn: string,
  key: Uint8Array,
  encryptedKey: Uint8Array,
): SealedList {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce);
  const encrypted = Buffer.concat([cipher.update(JSON.stringify(names.map(nameOf))), cipher.final()]);
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  return {
    keyArn,
    key: base64(encryptedKey),
    nonce: base64(nonce),
    tag: base64(cipher.getAuthTag()),
    names: base64(encrypted),
  };
}

/** @throws Error when the key is another one, or a byte was changed */
export function openList(sealed: SealedList, key: Uint8Array): readonly string[] {
  const decipher = createDecipheriv(CIPHER, key, Buffer.from(sealed.nonce, 'base64'));
  decipher.setAuthTag(Buffer.from(sealed.tag, 'base64'));
  const text = Buffer.concat([decipher.update(Buffer.from(sealed.names, 'base64')), decipher.final()]).toString();
  return JSON.parse(text) as readonly string[];
}
