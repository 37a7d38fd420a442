/**
 * HPKE as keys use it: RFC 9180, base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM; one message for each encapsulated key.
 * Whoever has the public key can send: what proves the sender, or the content, is the caller's.
 */
import type { KeyObject } from 'node:crypto';
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { canonicalJson } from '../../encoding/canonical-json.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';

const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });

export interface HpkeMessage {
  /** 32 bytes, base64. */
  readonly encapsulated: string;
  /** With its tag, base64. */
  readonly ciphertext: string;
}

/** What sender and recipient must agree in; else it does not open. */
export interface HpkeBinding {
  /** Its canonical JSON is `info`; `domain` says what the message is. */
  readonly info: Readonly<Record<string, string | number>> & { readonly domain: string };
  /** Associated data, in UTF-8. */
  readonly whose: string;
}

function bytesOf(text: string): ArrayBuffer {
  return Uint8Array.from(Buffer.from(text, 'utf8')).buffer;
}

const decoded = (base64: string) => Uint8Array.from(Buffer.from(base64, 'base64')).buffer;
const encoded = (bytes: ArrayBuffer) => Buffer.from(bytes).toString('base64');

/** @param publicKey X25519, 32 raw bytes. @throws errors of the library: the key is none */
export async function hpkeSeal(publicKey: Buffer, secret: SecretBuffer, binding: HpkeBinding): Promise<HpkeMessage> {
  const recipientPublicKey = await suite.kem.deserializePublicKey(Uint8Array.from(publicKey).buffer);
  const info = bytesOf(canonicalJson(binding.info));
  const sender = await suite.createSenderContext({ recipientPublicKey, info });
  const copy = secret.use((bytes) => Uint8Array.from(bytes));
  try {
    const ciphertext = await sender.seal(copy.buffer, bytesOf(binding.whose));
    return { encapsulated: encoded(sender.enc), ciphertext: encoded(ciphertext) };
  } finally {
    copy.fill(0);
  }
}

/** @param privateKey X25519. @throws errors of the library: it does not open */
export async function hpkeOpen(
  privateKey: KeyObject,
  { encapsulated, ciphertext }: HpkeMessage,
  binding: HpkeBinding,
): Promise<SecretBuffer> {
  const recipientKey = privateKey.toCryptoKey({ name: 'X25519' }, false, ['deriveBits']);
  const info = bytesOf(canonicalJson(binding.info));
  const recipient = await suite.createRecipientContext({ recipientKey, enc: decoded(encapsulated), info });
  const opened = await recipient.open(decoded(ciphertext), bytesOf(binding.whose));
  return SecretBuffer.take(Buffer.from(opened));
}
