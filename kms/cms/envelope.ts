/**
 * The structure of CiphertextForRecipient, in the two forms that exist:
 *
 *   KMS         BER, indefinite lengths, version 2, recipient by subjectKeyIdentifier (32 bytes)
 *   LocalStack  DER, version 0, recipient by issuerAndSerialNumber
 *
 * Which recipient is named does not matter here: there is one, and its key is the one we made for this purpose.
 * Specification: RFC 5652 sections 3, 6.1, 6.2.1; nitro-formats 3.7.
 */
import type { Asn1Node } from '../../encoding/asn1/reader.ts';
import { readAsn1, TAG } from '../../encoding/asn1/reader.ts';
import { expectMembers, expectOctets, expectOid, expectSmallInteger, expectTag } from '../../encoding/asn1/shape.ts';
import { FormatError } from '../../encoding/format-error.ts';
import { expectAlgorithm, expectOaepSha256 } from './algorithms.ts';

export interface Envelope {
  /** RSA-2048: 256 bytes. */
  readonly encryptedKey: Buffer;
  /** 16 bytes. */
  readonly iv: Buffer;
  /** Whole AES blocks, at most 4112 bytes. */
  readonly content: Buffer;
}

const OID_DATA = Buffer.from('2a864886f70d010701', 'hex');
const OID_ENVELOPED_DATA = Buffer.from('2a864886f70d010703', 'hex');
/** aes256-CBC, 2.16.840.1.101.3.4.1.42 */
const OID_AES256_CBC = '60864801650304012a';

const ENCRYPTED_KEY_BYTES = 256;
const SUBJECT_KEY_IDENTIFIER_BYTES = 32;
const BLOCK_BYTES = 16;
/** 4096 bytes, the longest secret of KMS, and one block of padding. */
const MAX_CONTENT_BYTES = 4112;

/** RFC 5652 ties the versions to how the recipient is named. */
const VERSION_BY_KEY_IDENTIFIER = 2;
const VERSION_BY_ISSUER = 0;

function expectContentType(what: string, node: Asn1Node | undefined, oid: Buffer): void {
  if (!expectOid(what, node).equals(oid)) throw new FormatError(`${what} is another than allowed`, node?.offset);
}

/** @returns the version that both structures must have with a recipient so named. */
function readRecipientIdentifier(node: Asn1Node | undefined): number {
  if (node?.tag === TAG.context0) {
    expectOctets('subjectKeyIdentifier', node, SUBJECT_KEY_IDENTIFIER_BYTES, TAG.context0);
    return VERSION_BY_KEY_IDENTIFIER;
  }
  const [issuer, serial] = expectMembers('issuerAndSerialNumber', node, TAG.sequence, 2);
  expectTag('issuer', issuer, TAG.sequence);
  expectTag('serial number', serial, TAG.integer);
  return VERSION_BY_ISSUER;
}

function expectVersion(what: string, node: Asn1Node | undefined, allowed: number): void {
  const version = expectSmallInteger(what, node);
  if (version !== allowed) throw new FormatError(`${what} must be ${allowed}, not ${version}`, node?.offset);
}

function readRecipient(node: Asn1Node | undefined): { version: number; encryptedKey: Buffer } {
  const [version, identifier, algorithm, encryptedKey] = expectMembers('recipient', node, TAG.sequence, 4);
  const allowed = readRecipientIdentifier(identifier);
  expectVersion('version of the recipient', version, allowed);
  expectOaepSha256(algorithm);
  return { version: allowed, encryptedKey: expectOctets('encryptedKey', encryptedKey, ENCRYPTED_KEY_BYTES) };
}

/** [0] IMPLICIT OCTET STRING: primitive, or constructed from pieces. */
function readContent(node: Asn1Node | undefined): Buffer {
  if (node?.tag === TAG.context0) return node.content;
  const { children } = expectTag('encryptedContent', node, TAG.contextConstructed0);
  return Buffer.concat(children.map((piece) => expectTag('piece of the content', piece, TAG.octetString).content));
}

function readEncryptedContent(node: Asn1Node | undefined): Pick<Envelope, 'iv' | 'content'> {
  const [type, algorithm, encrypted] = expectMembers('encryptedContentInfo', node, TAG.sequence, 3);
  expectContentType('contentType', type, OID_DATA);
  const iv = expectOctets('initialisation vector', expectAlgorithm('content', algorithm, OID_AES256_CBC), BLOCK_BYTES);
  const content = readContent(encrypted);
  if (content.length === 0 || content.length % BLOCK_BYTES !== 0 || content.length > MAX_CONTENT_BYTES) {
    throw new FormatError(`encryptedContent must be whole blocks up to ${MAX_CONTENT_BYTES} bytes`, encrypted?.offset);
  }
  return { iv, content };
}

/**
 * @throws FormatError
 * @throws CmsError CMS_UNSUPPORTED
 */
export function readEnvelope(bytes: Buffer): Envelope {
  const [type, wrapper] = expectMembers('ContentInfo', readAsn1(bytes, 'ber'), TAG.sequence, 2);
  expectContentType('content type', type, OID_ENVELOPED_DATA);
  const [envelopedData] = expectMembers('content', wrapper, TAG.contextConstructed0, 1);
  const [version, recipients, encrypted] = expectMembers('EnvelopedData', envelopedData, TAG.sequence, 3);
  const [only] = expectMembers('recipientInfos', recipients, TAG.set, 1);
  const recipient = readRecipient(only);
  expectVersion('version of EnvelopedData', version, recipient.version);
  return { encryptedKey: recipient.encryptedKey, ...readEncryptedContent(encrypted) };
}
