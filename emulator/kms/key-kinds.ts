/** The kinds of keys that the emulated KMS makes, what each is for, and the algorithms that go with it (KMS developer guide, "Key spec reference"). */
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import type { Random } from '../../runtime/random.ts';

export const KEY_USAGES = ['ENCRYPT_DECRYPT', 'SIGN_VERIFY', 'GENERATE_VERIFY_MAC', 'KEY_AGREEMENT'] as const;
export type KeyUsage = (typeof KEY_USAGES)[number];

interface Kind {
  readonly usages: readonly KeyUsage[];
  readonly material:
    | { readonly kind: 'bytes'; readonly lengthBytes: number }
    | { readonly kind: 'rsa'; readonly bits: number }
    | { readonly kind: 'ec'; readonly curve: string };
  /** Of signatures or codes, as KMS names them. */
  readonly algorithms: readonly string[];
}

const RSA_SIGNATURES = ['PSS', 'PKCS1_V1_5'].flatMap((padding) =>
  [256, 384, 512].map((bits) => `RSASSA_${padding}_SHA_${bits}`),
);
const rsa = (bits: number): Kind => ({
  usages: ['SIGN_VERIFY'],
  material: { kind: 'rsa', bits },
  algorithms: RSA_SIGNATURES,
});
const ec = (curve: string, hashBits: number, ...usages: readonly KeyUsage[]): Kind => ({
  usages: ['SIGN_VERIFY', ...usages],
  material: { kind: 'ec', curve },
  algorithms: [`ECDSA_SHA_${hashBits}`],
});
const hmac = (bits: number): Kind => ({
  usages: ['GENERATE_VERIFY_MAC'],
  material: { kind: 'bytes', lengthBytes: bits / 8 },
  algorithms: [`HMAC_SHA_${bits}`],
});

export const KEY_KINDS = {
  SYMMETRIC_DEFAULT: { usages: ['ENCRYPT_DECRYPT'], material: { kind: 'bytes', lengthBytes: 32 }, algorithms: [] },
  RSA_2048: rsa(2048),
  RSA_3072: rsa(3072),
  RSA_4096: rsa(4096),
  ECC_NIST_P256: ec('P-256', 256, 'KEY_AGREEMENT'),
  ECC_NIST_P384: ec('P-384', 384, 'KEY_AGREEMENT'),
  ECC_NIST_P521: ec('P-521', 512, 'KEY_AGREEMENT'),
  ECC_SECG_P256K1: ec('secp256k1', 256),
  HMAC_224: hmac(224),
  HMAC_256: hmac(256),
  HMAC_384: hmac(384),
  HMAC_512: hmac(512),
} as const satisfies Readonly<Record<string, Kind>>;
export type KeySpec = keyof typeof KEY_KINDS;

export const KEY_SPECS = Object.keys(KEY_KINDS) as [KeySpec, ...KeySpec[]];
export const KEY_PAIR_SPECS = KEY_SPECS.filter((spec) => KEY_KINDS[spec].material.kind !== 'bytes') as [
  KeySpec,
  ...KeySpec[],
];

/** DER: PKCS #8, and SubjectPublicKeyInfo. */
export interface KeyPair {
  readonly privateKey: Buffer;
  readonly publicKey: Buffer;
}

const ENCODING = {
  publicKeyEncoding: { type: 'spki', format: 'der' },
  privateKeyEncoding: { type: 'pkcs8', format: 'der' },
} as const;

/** @param spec of a key pair */
export async function makeKeyPair(spec: KeySpec): Promise<KeyPair> {
  const { material }: Kind = KEY_KINDS[spec];
  if (material.kind === 'ec') return promisify(generateKeyPair)('ec', { namedCurve: material.curve, ...ENCODING });
  const modulusLength = material.kind === 'rsa' ? material.bits : 0;
  return promisify(generateKeyPair)('rsa', { modulusLength, ...ENCODING });
}

/** What a KMS key of this kind keeps. */
export async function makeMaterial(spec: KeySpec, random: Random): Promise<Buffer> {
  const { material }: Kind = KEY_KINDS[spec];
  return material.kind === 'bytes' ? random.bytes(material.lengthBytes) : (await makeKeyPair(spec)).privateKey;
}
