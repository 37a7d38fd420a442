/**
 * Recipient envelopes in both forms that exist, each part open to change. Written from nitro-formats 3.7, apart from the
 * reader under test.
 */
import type { KeyObject } from 'node:crypto';
import { constants, createCipheriv, createPublicKey, publicEncrypt } from 'node:crypto';
import { hex, open, tlv } from './der.ts';

const OID_DATA = tlv(0x06, hex('2a864886f70d010701'));
const OID_ENVELOPED_DATA = tlv(0x06, hex('2a864886f70d010703'));
const SHA256_NULL: Buffer = hex('300d 06096086480165030402010500');
const SHA256_BARE: Buffer = hex('300b 0609608648016503040201');
const SHA1 = hex('3009 06052b0e03021a 0500');
const OID_RSAES_OAEP = hex('06092a864886f70d010107');
const OID_MGF1 = hex('06092a864886f70d010108');
const OID_P_SPECIFIED = hex('06092a864886f70d010109');
const AES256_CBC = hex('060960864801650304012a');
const AES128_CBC = hex('0609608648016503040102');

function oaep(hash: Buffer, mgfHash: Buffer, ...more: readonly Buffer[]): Buffer {
  const mgf = tlv(0xa1, tlv(0x30, OID_MGF1, mgfHash));
  return tlv(0x30, OID_RSAES_OAEP, tlv(0x30, tlv(0xa0, hash), mgf, ...more));
}

function label(text: string): Buffer {
  return tlv(0xa2, tlv(0x30, OID_P_SPECIFIED, tlv(0x04, Buffer.from(text))));
}

export const ALGORITHMS = {
  oaep: oaep(SHA256_NULL, SHA256_NULL),
  oaepWithoutNulls: oaep(SHA256_BARE, SHA256_BARE),
  oaepWithEmptyLabel: oaep(SHA256_NULL, SHA256_NULL, label('')),
  oaepWithLabel: oaep(SHA256_NULL, SHA256_NULL, label('label')),
  oaepSha1: oaep(SHA1, SHA256_NULL),
  oaepMgfSha1: oaep(SHA256_NULL, SHA1),
  /** All defaults, which are SHA-1. */
  oaepDefaults: tlv(0x30, OID_RSAES_OAEP, tlv(0x30)),
  oaepWithoutParameters: tlv(0x30, OID_RSAES_OAEP),
  oaepHashOnly: tlv(0x30, OID_RSAES_OAEP, tlv(0x30, tlv(0xa0, SHA256_NULL))),
  pkcs1v15: hex('300d 06092a864886f70d010101 0500'),
} as const;

export interface EnvelopeParts {
  readonly version: number;
  readonly recipients: readonly Buffer[];
  readonly contentType: Buffer;
  readonly contentAlgorithm: Buffer;
  readonly content: Buffer;
}

export interface SealOptions {
  readonly publicKey: KeyObject;
  readonly plaintext: Buffer;
  readonly contentKey?: Buffer;
  readonly keyAlgorithm?: Buffer;
  /** Encrypted content as one [0] or in pieces of this size; whole when absent. */
  readonly pieceBytes?: number;
  readonly oaepHash?: string;
}

const IV = hex('688c6d5f7f31b0fecedf09f2e7c99ac9');

function encryptContent(key: Buffer, plaintext: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-cbc', key, IV);
  return Buffer.concat([cipher.update(plaintext), cipher.final()]);
}

export function wrapKey(publicKey: KeyObject, contentKey: Buffer, oaepHash = 'sha256'): Buffer {
  return publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, contentKey);
}

export function contentAlgorithm(oid: Buffer = AES256_CBC, iv: Buffer = IV): Buffer {
  return tlv(0x30, oid, tlv(0x04, iv));
}
export const AES128: Buffer = contentAlgorithm(AES128_CBC);

/** [0] IMPLICIT OCTET STRING: primitive, or pieces in an indefinite length. */
export function contentOf(ciphertext: Buffer, pieceBytes?: number): Buffer {
  if (pieceBytes === undefined) return tlv(0x80, ciphertext);
  const pieces: Buffer[] = [];
  for (let at = 0; at < ciphertext.length; at += pieceBytes) {
    pieces.push(tlv(0x04, ciphertext.subarray(at, at + pieceBytes)));
  }
  return open(0xa0, ...pieces);
}

export const BY_KEY_IDENTIFIER: Buffer = tlv(0x80, Buffer.alloc(32, 0x70));
/** CN=recipient, serial number 1. */
export const BY_ISSUER: Buffer = tlv(
  0x30,
  tlv(0x30, tlv(0x31, tlv(0x30, hex('0603550403'), tlv(0x0c, Buffer.from('recipient'))))),
  hex('020101'),
);

export function recipientOf(version: number, identifier: Buffer, algorithm: Buffer, encryptedKey: Buffer): Buffer {
  return tlv(0x30, tlv(0x02, Buffer.from([version])), identifier, algorithm, tlv(0x04, encryptedKey));
}

/** As KMS writes it: indefinite lengths around definite ones. */
export function berEnvelope(parts: EnvelopeParts): Buffer {
  const encrypted = open(0x30, parts.contentType, parts.contentAlgorithm, parts.content);
  const version = tlv(0x02, Buffer.from([parts.version]));
  const envelopedData = open(0x30, version, tlv(0x31, ...parts.recipients), encrypted);
  return open(0x30, OID_ENVELOPED_DATA, open(0xa0, envelopedData));
}

/** As LocalStack writes it. */
export function derEnvelope(parts: EnvelopeParts): Buffer {
  const encrypted = tlv(0x30, parts.contentType, parts.contentAlgorithm, parts.content);
  const version = tlv(0x02, Buffer.from([parts.version]));
  const envelopedData = tlv(0x30, version, tlv(0x31, ...parts.recipients), encrypted);
  return tlv(0x30, OID_ENVELOPED_DATA, tlv(0xa0, envelopedData));
}

function partsFor(version: number, identifier: Buffer, options: SealOptions): EnvelopeParts {
  const contentKey = options.contentKey ?? Buffer.alloc(32, 0x5a);
  const encryptedKey = wrapKey(options.publicKey, contentKey, options.oaepHash);
  return {
    version,
    recipients: [recipientOf(version, identifier, options.keyAlgorithm ?? ALGORITHMS.oaep, encryptedKey)],
    contentType: OID_DATA,
    contentAlgorithm: contentAlgorithm(),
    content: contentOf(encryptContent(contentKey, options.plaintext), options.pieceBytes),
  };
}

export function kmsParts(options: SealOptions): EnvelopeParts {
  return partsFor(2, BY_KEY_IDENTIFIER, options);
}

export function localStackParts(options: SealOptions): EnvelopeParts {
  return partsFor(0, BY_ISSUER, options);
}

/** What KMS would answer to the SubjectPublicKeyInfo of an attestation document. */
export function sealToSpki(spki: Buffer, plaintext: Buffer): Buffer {
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  return berEnvelope(kmsParts({ publicKey, plaintext, pieceBytes: 1000 }));
}
