/**
 * Themis's Secure Cell in Seal mode under a key: what Acra's key files, and all values that it stores, are made of.
 *
 *   cell = u32 algorithm | u32 length of the nonce | u32 length of the tag | u32 length of the message | nonce | tag | ciphertext
 *          (integers little-endian)
 *   ciphertext, tag = AES-256-GCM, the context as associated data, under
 *   HMAC-SHA-256(key, u32 1 big-endian | "Themis secure cell message key" | 00 | u32 length of the message, little-endian | context)
 *
 * Node's own cryptography, in Buffers that are zeroed. Themis itself (wasm-themis) keeps what it copies of keys in a heap that nobody can
 * zero, and took half of a boot's time to load; it is what the tests hold this to. Cells of Themis 0.9.6, and of other algorithms, which
 * Acra never wrote, do not open. Source: Themis 0.15, sym_enc_message.c, secure_cell_alg.h and soter_kdf.c.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { systemRandom } from '../../runtime/random.ts';
import { KeystoreError } from '../errors.ts';

const CIPHER = 'aes-256-gcm';
/** SOTER_SYM_AES_GCM, and the length of the key in bits. */
const ALGORITHM = 0x4001_0000 | 256;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 16;
const KEY_LABEL = Buffer.from('\0\0\0\x01Themis secure cell message key\0');

interface Cell {
  readonly nonce: Buffer;
  readonly tag: Buffer;
  readonly ciphertext: Buffer;
}

/** Undefined for anything that is no whole Secure Cell, nothing more and nothing less. */
export function readCell(bytes: Buffer): Cell | undefined {
  const ciphertextStart = HEADER_BYTES + NONCE_BYTES + TAG_BYTES;
  const length = bytes.length - ciphertextStart;
  if (length <= 0) return undefined;
  const header = encodeHeader(length);
  if (!bytes.subarray(0, HEADER_BYTES).equals(header)) return undefined;
  return {
    nonce: bytes.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES),
    tag: bytes.subarray(HEADER_BYTES + NONCE_BYTES, ciphertextStart),
    ciphertext: bytes.subarray(ciphertextStart),
  };
}

function encodeHeader(messageBytes: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  for (const [at, value] of [ALGORITHM, NONCE_BYTES, TAG_BYTES, messageBytes].entries())
    header.writeUInt32LE(value, 4 * at);
  return header;
}

/** Lends the key of one message. */
function withMessageKey<Result>(
  key: Buffer,
  context: Buffer,
  messageBytes: number,
  borrow: (messageKey: Buffer) => Result,
): Result {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(messageBytes);
  const messageKey = createHmac('sha256', key).update(KEY_LABEL).update(length).update(context).digest();
  try {
    return borrow(messageKey);
  } finally {
    messageKey.fill(0);
  }
}

/** @param plaintext at least one byte @throws KeystoreError KEYSTORE_NOTHING_TO_SEAL */
export function sealCell(key: Buffer, plaintext: Buffer, context: string): Buffer {
  if (plaintext.length === 0) throw new KeystoreError('KEYSTORE_NOTHING_TO_SEAL', 'what was to be sealed is empty');
  const associated = Buffer.from(context);
  const nonce = systemRandom.bytes(NONCE_BYTES);
  return withMessageKey(key, associated, plaintext.length, (messageKey) => {
    const cipher = createCipheriv(CIPHER, messageKey, nonce, { authTagLength: TAG_BYTES }).setAAD(associated);
    const ciphertext = cipher.update(plaintext);
    cipher.final();
    return Buffer.concat([encodeHeader(plaintext.length), nonce, cipher.getAuthTag(), ciphertext]);
  });
}

/** The plaintext, which the caller owns; undefined when the cell does not open: other key, other context, or changed bytes. */
export function openCell(key: Buffer, sealed: Buffer, context: string): Buffer | undefined {
  const cell = readCell(sealed);
  if (!cell) return undefined;
  const { nonce, tag, ciphertext } = cell;
  const associated = Buffer.from(context);
  return withMessageKey(key, associated, ciphertext.length, (messageKey) => {
    const decipher = createDecipheriv(CIPHER, messageKey, nonce, { authTagLength: TAG_BYTES });
    const plaintext = decipher.setAAD(associated).setAuthTag(tag).update(ciphertext);
    try {
      decipher.final();
      return plaintext;
    } catch {
      plaintext.fill(0);
      return undefined;
    }
  });
}
