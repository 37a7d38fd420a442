/**
 * ECDSA whose keys follow from a text and whose signatures follow from key and message, so that certificates and documents can be made
 * again bit for bit. For tests only: whoever knows the text has the key. Specification: RFC 6979 section 3.2.
 */
import type { KeyObject } from 'node:crypto';
import { createECDH, createHash, createHmac, createPrivateKey } from 'node:crypto';
import { tlv } from './der.ts';

const CURVES = {
  'P-256': {
    name: 'prime256v1',
    bytes: 32,
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  },
  'P-384': {
    name: 'secp384r1',
    bytes: 48,
    order: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
} as const;
export type Curve = keyof typeof CURVES;
export type Hash = 'sha256' | 'sha384';

const toInteger = (bytes: Buffer) => BigInt(`0x${bytes.toString('hex')}`);
const toBytes = (value: bigint, size: number) => Buffer.from(value.toString(16).padStart(2 * size, '0'), 'hex');

export function privateKeyOf(curve: Curve, d: Buffer): KeyObject {
  const { name, bytes } = CURVES[curve];
  const ecdh = createECDH(name);
  ecdh.setPrivateKey(d);
  const point = ecdh.getPublicKey();
  const x = point.subarray(1, 1 + bytes).toString('base64url');
  const y = point.subarray(1 + bytes).toString('base64url');
  return createPrivateKey({ format: 'jwk', key: { kty: 'EC', crv: curve, d: d.toString('base64url'), x, y } });
}

/** The private key that follows from the text. */
export function keyFrom(curve: Curve, text: string): KeyObject {
  const { order, bytes } = CURVES[curve];
  const d = (toInteger(createHash('sha512').update(text).digest()) % (order - 1n)) + 1n;
  return privateKeyOf(curve, toBytes(d, bytes));
}

/** bits2int: the leftmost bits of the hash, as many as the order has. */
function leftmost(digest: Buffer, curve: Curve): bigint {
  const excess = 8 * (digest.length - CURVES[curve].bytes);
  return excess > 0 ? toInteger(digest) >> BigInt(excess) : toInteger(digest);
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let [result, square] = [1n, base % modulus];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

/** Section 3.2, steps b to h, with the first candidate in range. */
function nonceFor(d: Buffer, digest: Buffer, curve: Curve, hash: Hash): bigint {
  const { bytes, order } = CURVES[curve];
  const seed = Buffer.concat([d, toBytes(leftmost(digest, curve) % order, bytes)]);
  let v: Buffer = Buffer.alloc(digest.length, 1);
  let k: Buffer = Buffer.alloc(digest.length, 0);
  const hmac = (...parts: Buffer[]) => createHmac(hash, k).update(Buffer.concat(parts)).digest();
  for (const separator of [0, 1]) {
    k = hmac(v, Buffer.from([separator]), seed);
    v = hmac(v);
  }
  for (;;) {
    let t: Buffer = Buffer.alloc(0);
    while (t.length < bytes) {
      v = hmac(v);
      t = Buffer.concat([t, v]);
    }
    const candidate = leftmost(t, curve);
    if (candidate >= 1n && candidate < order) return candidate;
    k = hmac(v, Buffer.from([0]));
    v = hmac(v);
  }
}

/** @returns raw r ‖ s */
export function signRaw(hash: Hash, message: Buffer, key: KeyObject): Buffer {
  const { crv, d: encoded } = key.export({ format: 'jwk' });
  const curve = crv as Curve;
  const { name, bytes, order } = CURVES[curve];
  const d = Buffer.from(encoded ?? '', 'base64url');
  const digest = createHash(hash).update(message).digest();
  const k = nonceFor(d, digest, curve, hash);
  const ecdh = createECDH(name);
  ecdh.setPrivateKey(toBytes(k, bytes));
  const r = toInteger(ecdh.getPublicKey().subarray(1, 1 + bytes)) % order;
  const s = (power(k, order - 2n, order) * (leftmost(digest, curve) + r * toInteger(d))) % order;
  return Buffer.concat([toBytes(r, bytes), toBytes(s, bytes)]);
}

/** A positive INTEGER in its shortest form. */
function integer(bytes: Buffer): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  const magnitude = bytes.subarray(start);
  return tlv(0x02, (magnitude[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), magnitude]) : magnitude);
}

/** @returns ECDSA-Sig-Value, as certificates have it */
export function signDer(hash: Hash, message: Buffer, key: KeyObject): Buffer {
  const raw = signRaw(hash, message, key);
  return tlv(0x30, integer(raw.subarray(0, raw.length / 2)), integer(raw.subarray(raw.length / 2)));
}
