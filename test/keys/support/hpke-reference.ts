/**
 * HPKE in base mode, one message, by nothing but node:crypto: the other side of what the product does with a library, and the ephemeral key is
 * given, so that vectors can be made again bit for bit. Specification: RFC 9180 sections 4, 4.1, 5.1 and 7; numbers by section 7.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
} from 'node:crypto';

interface Aead {
  readonly id: number;
  readonly cipher: 'aes-128-gcm' | 'aes-256-gcm';
  readonly keyBytes: number;
}

export const AES_128_GCM: Aead = { id: 1, cipher: 'aes-128-gcm', keyBytes: 16 };
export const AES_256_GCM: Aead = { id: 2, cipher: 'aes-256-gcm', keyBytes: 32 };

/** DHKEM(X25519, HKDF-SHA256) and HKDF-SHA256. */
const KEM = 0x0020;
const KDF = 0x0001;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NONE = Buffer.alloc(0);

const twoBytes = (value: number) => Buffer.from([value >> 8, value & 0xff]);
const KEM_SUITE = Buffer.concat([Buffer.from('KEM'), twoBytes(KEM)]);
const suiteOf = ({ id }: Aead) => Buffer.concat([Buffer.from('HPKE'), twoBytes(KEM), twoBytes(KDF), twoBytes(id)]);

const hmac = (key: Buffer, ...parts: readonly Buffer[]) =>
  createHmac('sha256', key).update(Buffer.concat(parts)).digest();

const VERSION = Buffer.from('HPKE-v1');

const extract = (suite: Buffer, salt: Buffer, label: string, secret: Buffer) =>
  hmac(salt, VERSION, suite, Buffer.from(label), secret);

/** Of at most one block of SHA-256. */
const expand = (suite: Buffer, secret: Buffer, label: string, info: Buffer, length: number) =>
  hmac(secret, twoBytes(length), VERSION, suite, Buffer.from(label), info, Buffer.from([1])).subarray(0, length);

const SPKI = Buffer.from('302a300506032b656e032100', 'hex');
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** @param raw 32 bytes */
export const x25519Private = (raw: Buffer): KeyObject =>
  createPrivateKey({ key: Buffer.concat([PKCS8, raw]), format: 'der', type: 'pkcs8' });
const x25519Public = (raw: Buffer) => createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' });
/** @returns 32 bytes */
export const rawPublic = (key: KeyObject): Buffer =>
  (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'der', type: 'spki' }).subarray(SPKI.length);

interface Binding {
  readonly aead: Aead;
  readonly info: Buffer;
  readonly associated: Buffer;
}

function scheduleFor(own: KeyObject, other: Buffer, context: Buffer, { aead, info }: Binding) {
  const dh = diffieHellman({ privateKey: own, publicKey: x25519Public(other) });
  const shared = expand(KEM_SUITE, extract(KEM_SUITE, NONE, 'eae_prk', dh), 'shared_secret', context, 32);
  const suite = suiteOf(aead);
  const hashes = [extract(suite, NONE, 'psk_id_hash', NONE), extract(suite, NONE, 'info_hash', info)];
  const schedule = Buffer.concat([Buffer.from([0]), ...hashes]);
  const secret = extract(suite, shared, 'secret', NONE);
  return {
    key: expand(suite, secret, 'key', schedule, aead.keyBytes),
    nonce: expand(suite, secret, 'base_nonce', schedule, NONCE_BYTES),
  };
}

/** @param ephemeral 32 bytes, the sender's private key. @returns the ciphertext with its tag */
export function referenceSeal(ephemeral: Buffer, recipient: Buffer, plaintext: Buffer, binding: Binding) {
  const own = x25519Private(ephemeral);
  const encapsulated = rawPublic(own);
  const { key, nonce } = scheduleFor(own, recipient, Buffer.concat([encapsulated, recipient]), binding);
  const cipher = createCipheriv(binding.aead.cipher, key, nonce).setAAD(binding.associated);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return { encapsulated, ciphertext };
}

/** @throws when it does not open */
export function referenceOpen(
  recipient: KeyObject,
  encapsulated: Buffer,
  ciphertext: Buffer,
  binding: Binding,
): Buffer {
  const context = Buffer.concat([encapsulated, rawPublic(recipient)]);
  const { key, nonce } = scheduleFor(recipient, encapsulated, context, binding);
  const decipher = createDecipheriv(binding.aead.cipher, key, nonce)
    .setAAD(binding.associated)
    .setAuthTag(ciphertext.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(ciphertext.subarray(0, -TAG_BYTES)), decipher.final()]);
}
