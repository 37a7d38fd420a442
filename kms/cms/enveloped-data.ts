/**
 * Opens CiphertextForRecipient, the CMS EnvelopedData in which KMS returns a secret to the key of an attestation
 * document: RSAES-OAEP around a key, AES-256-CBC around the secret. Nothing in it authenticates the sender; TLS to KMS does.
 * Specification: RFC 5652 section 6; nitro-formats 3.7.
 */
import type { KeyObject } from 'node:crypto';
import { constants, createDecipheriv, privateDecrypt } from 'node:crypto';
import { wrapFormatError } from '../../encoding/format-error.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { CmsError } from '../errors.ts';
import type { Envelope } from './envelope.ts';
import { readEnvelope } from './envelope.ts';

/** 4096 bytes of secret at most, its padding, the wrapped key, and headers also for a content in small pieces. */
const MAX_ENVELOPE_BYTES = 8192;
const CONTENT_KEY_BYTES = 32;

/**
 * One error for every failure below this point, without a cause: to whoever can send us envelopes and see our logs,
 * telling a bad key from bad padding would be a decryption oracle.
 */
function doesNotOpen(): CmsError {
  return new CmsError('CMS_DECRYPT_FAILED', 'the recipient envelope does not open with this key');
}

function unwrapContentKey(encryptedKey: Buffer, privateKey: KeyObject): Buffer {
  const key = privateDecrypt(
    { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
    encryptedKey,
  );
  if (key.length === CONTENT_KEY_BYTES) return key;
  key.fill(0);
  throw doesNotOpen();
}

function decryptContent({ iv, content }: Envelope, key: Buffer): SecretBuffer {
  const decipher = createDecipheriv('aes-256-cbc', key, iv);
  const start = decipher.update(content);
  try {
    const end = decipher.final();
    const plaintext = Buffer.concat([start, end]);
    end.fill(0);
    return SecretBuffer.take(plaintext);
  } finally {
    start.fill(0);
  }
}

function open(envelope: Envelope, privateKey: KeyObject): SecretBuffer {
  try {
    const key = unwrapContentKey(envelope.encryptedKey, privateKey);
    try {
      return decryptContent(envelope, key);
    } finally {
      key.fill(0);
    }
  } catch {
    throw doesNotOpen();
  }
}

/**
 * @param bytes BER as KMS sends it, or DER with issuerAndSerialNumber as LocalStack does
 * @param privateKey RSA-2048
 * @throws CmsError CMS_TOO_LARGE, CMS_SYNTAX, CMS_UNSUPPORTED (other algorithms), CMS_DECRYPT_FAILED (all else, alike)
 */
export function openEnvelopedData(bytes: Buffer, privateKey: KeyObject): SecretBuffer {
  if (bytes.length > MAX_ENVELOPE_BYTES) {
    throw new CmsError('CMS_TOO_LARGE', 'the recipient envelope is too long', {
      found: `${bytes.length} bytes`,
      allowed: `${MAX_ENVELOPE_BYTES} bytes`,
    });
  }
  const envelope = wrapFormatError(
    () => readEnvelope(bytes),
    (cause) => new CmsError('CMS_SYNTAX', 'not a recipient envelope', { cause }),
  );
  return open(envelope, privateKey);
}
