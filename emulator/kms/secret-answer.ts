/** How a secret leaves KMS: in clear to an ordinary caller, sealed to its public key for an attested recipient. */
import type { Call } from './call.ts';
import type { EnvelopePart } from './faults.ts';
import type { Recipient } from './recipient.ts';
import type { EnvelopeParts } from './recipient-envelope.ts';
import { encodeEnvelope, sealForRecipient } from './recipient-envelope.ts';

/** The member of an answer that has the secret in clear. */
type SecretName = 'Plaintext' | 'PrivateKeyPlaintext' | 'SharedSecret';
type SecretFields = { [Name in SecretName | 'CiphertextForRecipient']?: string };

function flipByte(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0xff;
  return copy;
}

/** In CBC the last byte of one block (or of the IV) decides the padding byte of the next. */
function breakPadding({ iv, encryptedContent, ...rest }: EnvelopeParts): EnvelopeParts {
  const chain = Buffer.concat([iv, encryptedContent]);
  const broken = flipByte(chain, chain.length - iv.length - 1);
  return { ...rest, iv: broken.subarray(0, iv.length), encryptedContent: broken.subarray(iv.length) };
}

const TAMPERINGS: Readonly<Record<EnvelopePart, (parts: EnvelopeParts) => EnvelopeParts>> = {
  key: (parts) => ({ ...parts, encryptedKey: flipByte(parts.encryptedKey, parts.encryptedKey.length - 1) }),
  padding: breakPadding,
  iv: (parts) => ({ ...parts, iv: flipByte(parts.iv, 0) }),
};

/** The members of the answer that carry the secret, with the call's fault applied. */
export function secretFields(
  call: Call,
  recipient: Recipient | undefined,
  secret: Buffer,
  name: SecretName = 'Plaintext',
): SecretFields {
  if (recipient === undefined) return { [name]: secret.toString('base64') };
  const { fault, dependencies } = call;
  if (fault?.kind === 'omit-recipient-ciphertext') return {};
  const whole = fault?.kind === 'short-secret' ? secret.subarray(1) : secret;
  const sealed = sealForRecipient(whole, recipient.publicKey, dependencies.random);
  const parts = fault?.kind === 'tamper-recipient-ciphertext' ? TAMPERINGS[fault.part](sealed) : sealed;
  return {
    CiphertextForRecipient: encodeEnvelope(parts).toString('base64'),
    ...(fault?.kind === 'return-plaintext' ? { [name]: secret.toString('base64') } : {}),
  };
}
