/**
 * CiphertextForRecipient: CMS EnvelopedData (RFC 5652) in the BER form in which AWS KMS writes it (nitro-formats 3.7),
 * indefinite lengths and constructed content included. Content is AES-256-CBC; its key RSAES-OAEP with SHA-256.
 */
import type { KeyObject } from 'node:crypto';
import { constants, createCipheriv, createHash, publicEncrypt } from 'node:crypto';
import type { Random } from '../../runtime/random.ts';

const OID = {
  envelopedData: Buffer.from('06092a864886f70d010703', 'hex'),
  data: Buffer.from('06092a864886f70d010701', 'hex'),
  aes256Cbc: Buffer.from('060960864801650304012a', 'hex'),
  rsaesOaep: Buffer.from('06092a864886f70d010107', 'hex'),
  mgf1: Buffer.from('06092a864886f70d010108', 'hex'),
  sha256: Buffer.from('0609608648016503040201', 'hex'),
} as const;

const NULL = Buffer.from('0500', 'hex');
/** The version of an EnvelopedData, and of a recipient that is named by its key identifier. */
const VERSION_2 = Buffer.from('020102', 'hex');
const END_OF_CONTENTS = Buffer.from('0000', 'hex');
const CONTENT_KEY_BYTES = 32;
const IV_BYTES = 16;

const TAG = {
  octetString: 0x04,
  sequence: 0x30,
  set: 0x31,
  context0: 0x80,
  constructed0: 0xa0,
  constructed1: 0xa1,
} as const;

export interface EnvelopeParts {
  /** SHA-256 of the recipient's DER SubjectPublicKeyInfo. */
  readonly keyIdentifier: Buffer;
  readonly encryptedKey: Buffer;
  readonly iv: Buffer;
  readonly encryptedContent: Buffer;
}

function length(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.of(bytes);
  return bytes < 0x100 ? Buffer.of(0x81, bytes) : Buffer.of(0x82, bytes >> 8, bytes & 0xff);
}

function definite(tag: number, ...content: readonly Buffer[]): Buffer {
  const value = Buffer.concat(content);
  return Buffer.concat([Buffer.of(tag), length(value.length), value]);
}

function indefinite(tag: number, ...content: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.of(tag, 0x80), ...content, END_OF_CONTENTS]);
}

function rsaesOaepSha256(): Buffer {
  const sha256 = definite(TAG.sequence, OID.sha256, NULL);
  const mask = definite(TAG.sequence, OID.mgf1, sha256);
  const parameters = definite(TAG.sequence, definite(TAG.constructed0, sha256), definite(TAG.constructed1, mask));
  return definite(TAG.sequence, OID.rsaesOaep, parameters);
}

export function encodeEnvelope(parts: EnvelopeParts): Buffer {
  const recipient = definite(
    TAG.sequence,
    VERSION_2,
    definite(TAG.context0, parts.keyIdentifier),
    rsaesOaepSha256(),
    definite(TAG.octetString, parts.encryptedKey),
  );
  const content = indefinite(
    TAG.sequence,
    OID.data,
    definite(TAG.sequence, OID.aes256Cbc, definite(TAG.octetString, parts.iv)),
    indefinite(TAG.constructed0, definite(TAG.octetString, parts.encryptedContent)),
  );
  const envelopedData = indefinite(TAG.sequence, VERSION_2, definite(TAG.set, recipient), content);
  return indefinite(TAG.sequence, OID.envelopedData, indefinite(TAG.constructed0, envelopedData));
}

/** @param publicKey RSA key of the recipient. The plaintext stays the caller's. */
export function sealForRecipient(plaintext: Buffer, publicKey: KeyObject, random: Random): EnvelopeParts {
  const contentKey = random.bytes(CONTENT_KEY_BYTES);
  const iv = random.bytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-cbc', contentKey, iv);
  const encryptedContent = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const encryptedKey = publicEncrypt({ key: publicKey, padding, oaepHash: 'sha256' }, contentKey);
  contentKey.fill(0);
  const keyIdentifier = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
  return { keyIdentifier, encryptedKey, iv, encryptedContent };
}
