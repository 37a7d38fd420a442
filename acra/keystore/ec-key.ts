/**
 * Themis's own encoding of EC keys on P-256, which AcraStructs are encrypted to.
 *
 *   key  = tag | u32 length of all, big-endian | CRC-32C over all with zeros in its place, little-endian | body
 *   body = of a public key ("UEC2") the compressed point; of a private one ("REC2") the number in as many bytes, so that it begins with 00
 *
 * Source: Themis 0.15, soter_container.c, soter_crc32.c and soter_ec_key.c. Acra makes no key on another curve.
 */
import { createECDH, type ECDH } from 'node:crypto';
import { crc32c } from '../../wire/crc32c.ts';

export type Half = keyof typeof TAGS;

export interface KeyPair {
  readonly privateKey: Buffer;
  readonly publicKey: Buffer;
}

const TAGS = { private: 'REC2', public: 'UEC2' } as const;
const CURVE = 'prime256v1';
const LENGTH_AT = 4;
const CHECKSUM_AT = 8;
const HEADER_BYTES = 12;
const NUMBER_BYTES = 32;
const BODY_BYTES = 1 + NUMBER_BYTES;

/** Whatever stands in its own place. */
function checksum(key: Buffer): number {
  const bytes = Buffer.from(key).fill(0, CHECKSUM_AT, HEADER_BYTES);
  try {
    return crc32c(bytes);
  } finally {
    bytes.fill(0);
  }
}

/** By tag and length: whether it is a whole one is told by its checksum, and by its use. */
export function isEcKey(key: Buffer, half: Half): boolean {
  const tag = Buffer.from(TAGS[half]);
  return (
    key.length > CHECKSUM_AT && key.subarray(0, LENGTH_AT).equals(tag) && key.readUInt32BE(LENGTH_AT) === key.length
  );
}

/** @param body as long as BODY_BYTES */
function encode(half: Half, body: Buffer): Buffer {
  const key = Buffer.alloc(HEADER_BYTES + BODY_BYTES);
  key.write(TAGS[half], 'latin1');
  key.writeUInt32BE(key.length, LENGTH_AT);
  body.copy(key, key.length - body.length);
  key.writeUInt32LE(checksum(key), CHECKSUM_AT);
  return key;
}

/** A view of it. */
function bodyOf(key: Buffer, half: Half): Buffer | undefined {
  const isWhole = isEcKey(key, half) && key.length === HEADER_BYTES + BODY_BYTES;
  return isWhole && key.readUInt32LE(CHECKSUM_AT) === checksum(key) ? key.subarray(HEADER_BYTES) : undefined;
}

function pairOf(ecdh: ECDH): KeyPair {
  const number = ecdh.getPrivateKey();
  try {
    return {
      privateKey: encode('private', number),
      publicKey: encode('public', ecdh.getPublicKey(null, 'compressed')),
    };
  } finally {
    number.fill(0);
  }
}

/** A fresh one; the caller zeroes the private half. */
export function newKeyPair(): KeyPair {
  const ecdh = createECDH(CURVE);
  ecdh.generateKeys();
  return pairOf(ecdh);
}

/** Whether both are well-formed and belong together. */
export function isKeyPair(privateKey: Buffer, publicKey: Buffer): boolean {
  const [number, point] = [bodyOf(privateKey, 'private'), bodyOf(publicKey, 'public')];
  if (number === undefined || point === undefined || number[0] !== 0) return false;
  const ecdh = createECDH(CURVE);
  try {
    ecdh.setPrivateKey(number.subarray(1));
  } catch {
    return false;
  }
  return ecdh.getPublicKey(null, 'compressed').equals(point);
}
