/**
 * Actions whose answers are for the enclave alone: the request gets a Recipient, and the answer its plaintext back where the API has it,
 * opened with the enclave's key. An answer that does not hold to that is refused, as by the supervisor's own client (kms/answer.ts).
 * Specification: KMS API reference, Decrypt, DeriveSharedSecret, GenerateDataKey, GenerateDataKeyPair, GenerateRandom.
 */
import type { KeyObject } from 'node:crypto';
import type { ATTESTED_ACTIONS } from '../../config/app/kms-proxy.ts';
import { encodeSecretBase64 } from '../../encoding/secret-base64.ts';
import { openAnswer, refusePlaintext } from '../../kms/answer.ts';
import { KmsError } from '../../kms/errors.ts';
import type { attestRecipient } from '../../kms/recipient.ts';
import type { Members } from './members.ts';

/** Where the answer has the secret. */
const SECRETS: Readonly<Record<(typeof ATTESTED_ACTIONS)[number], string>> = {
  Decrypt: 'Plaintext',
  DeriveSharedSecret: 'SharedSecret',
  GenerateDataKey: 'Plaintext',
  GenerateDataKeyPair: 'PrivateKeyPlaintext',
  GenerateRandom: 'Plaintext',
};
const ENVELOPE = 'CiphertextForRecipient';

export type AttestedAction = keyof typeof SECRETS;

export function isAttested(action: string): action is AttestedAction {
  return Object.hasOwn(SECRETS, action);
}

export function withRecipient(members: Members, recipient: Awaited<ReturnType<typeof attestRecipient>>): Members {
  const { AttestationDocument: document, KeyEncryptionAlgorithm } = recipient;
  return { ...members, Recipient: { AttestationDocument: document.toString('base64'), KeyEncryptionAlgorithm } };
}

function bytesOf(members: Members, name: string): Buffer | undefined {
  const value = members[name] ?? '';
  if (typeof value === 'string') return value === '' ? undefined : Buffer.from(value, 'base64');
  throw new KmsError('KMS_RESPONSE_INVALID', `${name} of the answer is no text`);
}

/** One Buffer, so that one is to be zeroed. */
function withSecret(members: Members, name: string, secret: Buffer): Buffer {
  const start = JSON.stringify(members).slice(0, -1);
  const text = encodeSecretBase64(secret);
  const pieces = [Buffer.from(`${start}${start === '{' ? '' : ','}"${name}":"`), text, Buffer.from('"}')];
  const body = Buffer.allocUnsafeSlow(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) at += piece.copy(body, at);
  text.fill(0);
  return body;
}

/**
 * @returns JSON with the secret, which whoever sends it zeroes
 * @throws KmsError KMS_PLAINTEXT_RETURNED, KMS_RECIPIENT_MISSING, KMS_RESPONSE_INVALID; CmsError
 */
export function openAttested(action: AttestedAction, answer: Members, privateKey: KeyObject): Buffer {
  const name = SECRETS[action];
  refusePlaintext({ Plaintext: bytesOf(answer, name) });
  const { [ENVELOPE]: _envelope, [name]: _empty, ...rest } = answer;
  using secret = openAnswer({ CiphertextForRecipient: bytesOf(answer, ENVELOPE) }, privateKey);
  return secret.use((bytes) => withSecret(rest, name, bytes));
}
