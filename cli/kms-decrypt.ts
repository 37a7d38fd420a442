/** KMS Decrypt without attestation, on the operator's machine: what a key policy should allow nobody but for a moment. */
import { DecryptCommand } from '@aws-sdk/client-kms';
import { KeyError } from '../keys/errors.ts';
import type { EncryptOptions } from '../kms/operator-encrypt.ts';
import { operatorClient } from '../kms/operator-encrypt.ts';
import { harmlessText } from '../runtime/harmless-text.ts';

const MAX_WORDS = 500;
/** Names of KMS's errors that only the key policy, or an IAM policy, mends. */
const DENIED: ReadonlySet<string> = new Set(['AccessDeniedException', 'AccessDenied']);

function toError(cause: unknown): KeyError {
  const { name, message } = cause instanceof Error ? cause : { name: '', message: String(cause) };
  const found = harmlessText(`${name}: ${message}`.slice(0, MAX_WORDS));
  const code = DENIED.has(name) ? 'KEY_DECRYPT_DENIED' : 'KEY_DECRYPT_FAILED';
  return new KeyError(code, 'KMS did not decrypt the master key', { found, cause, causeIsTold: true });
}

/** The caller zeroes the result. @throws KeyError KEY_DECRYPT_DENIED, KEY_DECRYPT_FAILED */
export async function kmsDecrypt(ciphertext: Buffer, options: EncryptOptions): Promise<Buffer> {
  const { keyArn, encryptionContext, signal } = options;
  const client = operatorClient(options);
  try {
    const { Plaintext: plaintext } = await client.send(
      new DecryptCommand({ KeyId: keyArn, CiphertextBlob: ciphertext, EncryptionContext: { ...encryptionContext } }),
      signal === undefined ? {} : { abortSignal: signal },
    );
    if (plaintext === undefined) throw new KeyError('KEY_DECRYPT_FAILED', 'the answer of KMS has no plaintext');
    return Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength);
  } catch (cause) {
    throw cause instanceof KeyError ? cause : toError(cause);
  } finally {
    client.destroy();
  }
}
