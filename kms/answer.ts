/** Checks on answers of KMS that a request with `Recipient` must pass before anything in them is used. */
import type { KeyObject } from 'node:crypto';
import type { SecretBuffer } from '../runtime/secret-buffer.ts';
import { openEnvelopedData } from './cms/enveloped-data.ts';
import { KmsError } from './errors.ts';

/** The members of an answer that matter here; the SDK turns null into undefined. */
export interface RecipientAnswer {
  readonly KeyId?: string | undefined;
  readonly Plaintext?: Uint8Array | undefined;
  readonly CiphertextForRecipient?: Uint8Array | undefined;
}

/** Limit of CiphertextBlob in the KMS API. */
export const MAX_CIPHERTEXT_BYTES = 6144;

/**
 * KMS leaves Plaintext null or empty when it has encrypted to a recipient; any other is zeroed.
 * @throws KmsError KMS_PLAINTEXT_RETURNED
 */
export function refusePlaintext({ Plaintext: plaintext }: RecipientAnswer): void {
  if (plaintext === undefined || plaintext.length === 0) return;
  plaintext.fill(0);
  throw new KmsError('KMS_PLAINTEXT_RETURNED', 'the answer carries the plaintext', {
    found: `${plaintext.length} bytes`,
    allowed: 'CiphertextForRecipient only',
  });
}

/** @throws KmsError KMS_WRONG_KEY */
export function requireKey({ KeyId: answered }: RecipientAnswer, pinned: string): void {
  if (answered === pinned) return;
  throw new KmsError('KMS_WRONG_KEY', 'KMS answered in the name of another key', {
    found: answered ?? 'no key',
    allowed: pinned,
  });
}

/** @throws KmsError KMS_RESPONSE_INVALID */
export function requireCiphertext(ciphertext: Uint8Array | undefined): Buffer {
  const length = ciphertext?.length ?? 0;
  if (ciphertext !== undefined && length > 0 && length <= MAX_CIPHERTEXT_BYTES) return Buffer.from(ciphertext);
  throw new KmsError('KMS_RESPONSE_INVALID', 'the answer has no CiphertextBlob of an allowed size', {
    found: `${length} bytes`,
    allowed: `1 to ${MAX_CIPHERTEXT_BYTES} bytes`,
  });
}

/** @throws KmsError KMS_RECIPIENT_MISSING; CmsError when the envelope does not open */
export function openAnswer({ CiphertextForRecipient: envelope }: RecipientAnswer, privateKey: KeyObject): SecretBuffer {
  if (envelope !== undefined && envelope.length > 0) return openEnvelopedData(Buffer.from(envelope), privateKey);
  throw new KmsError('KMS_RECIPIENT_MISSING', 'the answer lacks CiphertextForRecipient');
}

/** Zeroes the secret when its length is wrong. @throws KmsError KMS_RESPONSE_INVALID */
export function requireLength(secret: SecretBuffer, lengthBytes: number): SecretBuffer {
  if (secret.length === lengthBytes) return secret;
  const found = `${secret.length} bytes`;
  secret.dispose();
  throw new KmsError('KMS_RESPONSE_INVALID', 'the secret has another length than was asked for', {
    found,
    allowed: `${lengthBytes} bytes`,
  });
}
