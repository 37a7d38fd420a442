/**
 * CiphertextBlob in a form of the emulator's own (KMS documents none): AES-256-GCM under the key's material,
 * authenticated with key ARN and encryption context.
 *
 *   0  4  magic "AEK1"
 *   4  8  first bytes of SHA-256 over all that follows: a changed blob is told from the blob of another key
 *  12 16  key ID (UUID)
 *  28 12  IV
 *  40 16  GCM tag
 *  56  n  ciphertext
 */
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import type { Random } from '../../runtime/random.ts';
import type { EncryptionContext } from './encryption-context.ts';
import { canonicalContext } from './encryption-context.ts';
import type { KmsKey } from './key-store.ts';
import { ServiceError } from './service-error.ts';

const MAGIC = Buffer.from('AEK1');
const CHECKSUM_BYTES = 8;
const KEY_ID_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const BODY_AT = MAGIC.length + CHECKSUM_BYTES;
const HEADER_BYTES = BODY_AT + KEY_ID_BYTES + IV_BYTES + TAG_BYTES;

interface Blob {
  readonly keyId: string;
  readonly iv: Buffer;
  readonly tag: Buffer;
  readonly ciphertext: Buffer;
}

function invalid(): ServiceError {
  return new ServiceError('InvalidCiphertextException', 'The ciphertext cannot be decrypted');
}

function checksum(body: Buffer): Buffer {
  return createHash('sha256').update(body).digest().subarray(0, CHECKSUM_BYTES);
}

function associatedData(key: KmsKey, context: EncryptionContext): Buffer {
  return Buffer.concat([Buffer.from(`${key.arn}\n`), canonicalContext(context)]);
}

function formatUuid(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function parse(bytes: Buffer): Blob {
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw invalid();
  const body = bytes.subarray(BODY_AT);
  if (!bytes.subarray(MAGIC.length, BODY_AT).equals(checksum(body))) throw invalid();
  const ivAt = KEY_ID_BYTES;
  const tagAt = ivAt + IV_BYTES;
  const ciphertextAt = tagAt + TAG_BYTES;
  return {
    keyId: formatUuid(body.subarray(0, ivAt)),
    iv: body.subarray(ivAt, tagAt),
    tag: body.subarray(tagAt, ciphertextAt),
    ciphertext: body.subarray(ciphertextAt),
  };
}

export function sealBlob(key: KmsKey, context: EncryptionContext, plaintext: Buffer, random: Random): Buffer {
  const iv = random.bytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key.material, iv).setAAD(associatedData(key, context));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const keyId = Buffer.from(key.keyId.replaceAll('-', ''), 'hex');
  const body = Buffer.concat([keyId, iv, cipher.getAuthTag(), ciphertext]);
  return Buffer.concat([MAGIC, checksum(body), body]);
}

/** @returns the ID of the key that made the blob. @throws ServiceError InvalidCiphertextException */
export function keyIdOfBlob(bytes: Buffer): string {
  return parse(bytes).keyId;
}

/** @returns the plaintext, which the caller zeroes. @throws ServiceError InvalidCiphertextException */
export function openBlob(key: KmsKey, context: EncryptionContext, bytes: Buffer): Buffer {
  const { iv, tag, ciphertext } = parse(bytes);
  const decipher = createDecipheriv('aes-256-gcm', key.material, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData(key, context)).setAuthTag(tag);
  const plaintext = decipher.update(ciphertext);
  try {
    decipher.final();
    return plaintext;
  } catch {
    plaintext.fill(0);
    throw invalid();
  }
}
