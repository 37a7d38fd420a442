/**
 * CiphertextForRecipient: CMS EnvelopedData (RFC 5652) in the BER form in which AWS KMS writes it (nitro-formats 3.7),
 * indefinite lengths and constructed content included. Content is AES-256-CBC; its key RSAES-OAEP with SHA-256.
 */
import type { KeyObject } from 'node:crypto';
import { constants, createCipheriv, createHash, publicEncrypt } from 'node:crypto';
import { TAG } from '../../encoding/asn1/reader.ts';
import { writeDer, writeIndefinite } from '../../encoding/asn1/writer.ts';
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
const CONTENT_KEY_BYTES = 32;
const IV_BYTES = 16;

export interface EnvelopeParts {
  /** SHA-256 of the recipient's DER SubjectPublicKeyInfo. */
  readonly keyIdentifier: Buffer;
  readonly encryptedKey: Buffer;
  readonly iv: Buffer;
  readonly encryptedContent: Buffer;
}

function rsaesOaepSha256(): Buffer {
  const sha256 = writeDer(TAG.sequence, OID.sha256, NULL);
  const mask = writeDer(TAG.sequence, OID.mgf1, sha256);
  const parameters = writeDer(
    TAG.sequence,
    writeDer(TAG.contextConstructed0, sha256),
    writeDer(TAG.contextConstructed1, mask),
  );
  return writeDer(TAG.sequence, OID.rsaesOaep, parameters);
}

export function encodeEnvelope(parts: EnvelopeParts): Buffer {
  const recipient = writeDer(
    TAG.sequence,
    VERSION_2,
    writeDer(TAG.context0, parts.keyIdentifier),
    rsaesOaepSha256(),
    writeDer(TAG.octetString, parts.encryptedKey),
  );
  const content = writeIndefinite(
    TAG.sequence,
    OID.data,
    writeDer(TAG.sequence, OID.aes256Cbc, writeDer(TAG.octetString, parts.iv)),
    writeIndefinite(TAG.contextConstructed0, writeDer(TAG.octetString, parts.encryptedContent)),
  );
  const envelopedData = writeIndefinite(TAG.sequence, VERSION_2, writeDer(TAG.set, recipient), content);
  return writeIndefinite(TAG.sequence, OID.envelopedData, writeIndefinite(TAG.contextConstructed0, envelopedData));
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
