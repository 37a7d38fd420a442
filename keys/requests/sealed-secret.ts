/**
 * A secret on its way from an operator to one boot of one enclave: HPKE (RFC 9180, base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
 * AES-256-GCM) to the public key in the enclave's attestation document. `info` names the enclave, what it commits to and the request's
 * nonce, the associated data names whose secret it is: it opens nowhere else and stands for nothing else.
 * Specification: docs/specs/key-sets.md.
 */
import type { KeyObject } from 'node:crypto';
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { canonicalJson } from '../../encoding/canonical-json.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { KeyError } from '../errors.ts';
import type { KeyRequest, SealedSecret } from './key-request.ts';

const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });

/** What the sender and the enclave must agree in. */
export type SecretContext = Pick<KeyRequest, 'enclave' | 'commitment' | 'nonce'>;

function infoOf({ enclave, commitment, nonce }: SecretContext): ArrayBuffer {
  return bytesOf(canonicalJson({ domain: 'acra-enclave sealed secret v1', enclave, commitment, nonce }));
}

function bytesOf(text: string): ArrayBuffer {
  return Uint8Array.from(Buffer.from(text, 'utf8')).buffer;
}

/** @param enclaveKey X25519, 32 raw bytes, from a document that was verified. @throws KeyError KEY_SECRET_UNSEALABLE */
export async function sealSecretFor(
  enclaveKey: Buffer,
  context: SecretContext,
  user: string,
  secret: SecretBuffer,
): Promise<SealedSecret> {
  try {
    const recipientPublicKey = await suite.kem.deserializePublicKey(Uint8Array.from(enclaveKey).buffer);
    const sender = await suite.createSenderContext({ recipientPublicKey, info: infoOf(context) });
    const copy = secret.use((bytes) => Uint8Array.from(bytes));
    try {
      const ciphertext = await sender.seal(copy.buffer, bytesOf(user));
      const encoded = (bytes: ArrayBuffer) => Buffer.from(bytes).toString('base64');
      return { user, encapsulated: encoded(sender.enc), ciphertext: encoded(ciphertext) };
    } finally {
      copy.fill(0);
    }
  } catch (cause) {
    throw new KeyError('KEY_SECRET_UNSEALABLE', 'the secret cannot be encrypted to this key of an enclave', { cause });
  }
}

/** @param privateKey of this boot. @throws KeyError KEY_SECRET_UNSEALABLE: it was sealed for another boot, request or user, or changed */
export async function openSealedSecret(
  privateKey: KeyObject,
  context: SecretContext,
  { user, encapsulated, ciphertext }: SealedSecret,
): Promise<SecretBuffer> {
  try {
    const recipientKey = privateKey.toCryptoKey({ name: 'X25519' }, false, ['deriveBits']);
    const enc = Uint8Array.from(Buffer.from(encapsulated, 'base64')).buffer;
    const recipient = await suite.createRecipientContext({ recipientKey, enc, info: infoOf(context) });
    const opened = await recipient.open(Uint8Array.from(Buffer.from(ciphertext, 'base64')).buffer, bytesOf(user));
    return SecretBuffer.take(Buffer.from(opened));
  } catch (cause) {
    throw new KeyError('KEY_SECRET_UNSEALABLE', `the secret of ${user} does not open in this boot of this enclave`, {
      cause,
    });
  }
}
