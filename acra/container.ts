/**
 * The bytes that acra-server stores in protected columns (acra-server contract 9.1): AcraBlock, the container around it,
 * and the searchable form. All integers are little-endian.
 *
 *   AcraBlock  = 22 22 22 22 | u64 length of all that follows the tag | u8 key encryption type | keyId[2]
 *                | u8 data encryption type | u16 length of the encrypted data key | encrypted data key | encrypted data
 *   Container  = "%%%" | u64 length of the whole | u8 envelope | body
 *   Searchable = 7f | HMAC-SHA256(client's HMAC key, plaintext) | Container
 *
 * Both Secure Cells in an AcraBlock have an empty context, so the database may move values between rows and columns of
 * one client unnoticed (acra-server contract 7): that is Acra's format, not ours to change.
 */
import { createHash, createHmac } from 'node:crypto';
import type { Random } from '../runtime/random.ts';
import { AcraError } from './errors.ts';
import { SYMMETRIC_KEY_BYTES } from './keystore/layout.ts';
import type { Themis } from './keystore/themis.ts';

const CONTAINER_TAG = Buffer.from('%%%');
const CONTAINER_HEADER_BYTES = CONTAINER_TAG.length + 8 + 1;
const BLOCK_TAG = Buffer.alloc(4, 0x22);
const KEY_ID_OFFSET = BLOCK_TAG.length + 8 + 1;
const KEY_ID_BYTES = 2;
const BLOCK_HEADER_BYTES = KEY_ID_OFFSET + KEY_ID_BYTES + 1 + 2;
/** Both encryption types: Themis Secure Cell Seal. */
const SECURE_CELL = 0;
const NO_CONTEXT = '';

/** Themis public key (45 bytes) and the data key in a Secure Message (84). */
const STRUCT_TAG = Buffer.alloc(8, 0x22);
const STRUCT_HEADER_BYTES = STRUCT_TAG.length + 45 + 84 + 8;

const SEARCHABLE_TAG = 0x7f;
const HMAC_BYTES = 32;
/** Length of the searchable prefix: what `substr(column, 1, 33)` compares. */
const SEARCH_HASH_BYTES = 1 + HMAC_BYTES;

const ENVELOPE_IDS = { acrablock: 0xf0, acrastruct: 0xf1 } as const;

function invalid(message: string): AcraError {
  return new AcraError('ACRA_CONTAINER_INVALID', message);
}

/**
 * What an AcraBlock calls the key that it is under: the first two bytes of SHA-256 over the key; the context that would follow it is
 * empty. Different keys may have the same.
 */
export function keyId(key: Buffer): Buffer {
  return createHash('sha256').update(key).digest().subarray(0, KEY_ID_BYTES);
}

/** Encrypts under a fresh data key. @param plaintext at least one byte: Acra leaves empty values as they are. */
export function encodeAcraBlock(
  themis: Pick<Themis, 'seal'>,
  clientKey: Buffer,
  plaintext: Buffer,
  random: Random,
): Buffer {
  if (plaintext.length === 0) throw invalid('an empty value cannot be put into a container');
  const dataKey = random.bytes(SYMMETRIC_KEY_BYTES);
  const sealedKey = themis.seal(clientKey, dataKey, NO_CONTEXT);
  const sealedData = themis.seal(dataKey, plaintext, NO_CONTEXT);
  dataKey.fill(0);
  const header = Buffer.alloc(BLOCK_HEADER_BYTES);
  BLOCK_TAG.copy(header);
  const rest = BLOCK_HEADER_BYTES - BLOCK_TAG.length + sealedKey.length + sealedData.length;
  header.writeBigUInt64LE(BigInt(rest), BLOCK_TAG.length);
  header.writeUInt8(SECURE_CELL, KEY_ID_OFFSET - 1);
  keyId(clientKey).copy(header, KEY_ID_OFFSET);
  header.writeUInt8(SECURE_CELL, KEY_ID_OFFSET + KEY_ID_BYTES);
  header.writeUInt16LE(sealedKey.length, BLOCK_HEADER_BYTES - 2);
  return Buffer.concat([header, sealedKey, sealedData]);
}

interface AcraBlock {
  readonly keyId: Buffer;
  readonly sealedKey: Buffer;
  readonly sealedData: Buffer;
}

function parseAcraBlock(block: Buffer): AcraBlock {
  if (block.length < BLOCK_HEADER_BYTES || !block.subarray(0, BLOCK_TAG.length).equals(BLOCK_TAG)) {
    throw invalid('no AcraBlock header');
  }
  if (block.readBigUInt64LE(BLOCK_TAG.length) !== BigInt(block.length - BLOCK_TAG.length)) {
    throw invalid('the AcraBlock states another length than it has');
  }
  const types = [block[KEY_ID_OFFSET - 1], block[KEY_ID_OFFSET + KEY_ID_BYTES]];
  if (types.some((type) => type !== SECURE_CELL)) throw invalid('the AcraBlock is encrypted in an unknown way');
  const sealedKeyEnd = BLOCK_HEADER_BYTES + block.readUInt16LE(BLOCK_HEADER_BYTES - 2);
  if (sealedKeyEnd >= block.length) throw invalid('the AcraBlock ends inside its data key');
  return {
    keyId: block.subarray(KEY_ID_OFFSET, KEY_ID_OFFSET + KEY_ID_BYTES),
    sealedKey: block.subarray(BLOCK_HEADER_BYTES, sealedKeyEnd),
    sealedData: block.subarray(sealedKeyEnd),
  };
}

/**
 * Opens an AcraBlock with the first of the client's keys (current and rotated ones) that fits.
 * @throws AcraError ACRA_CONTAINER_INVALID when none does or the bytes are damaged
 */
export function openAcraBlock(themis: Pick<Themis, 'open'>, clientKeys: readonly Buffer[], block: Buffer): Buffer {
  const parsed = parseAcraBlock(block);
  for (const clientKey of clientKeys) {
    if (!keyId(clientKey).equals(parsed.keyId)) continue;
    const dataKey = themis.open(clientKey, parsed.sealedKey, NO_CONTEXT);
    if (dataKey === undefined) continue;
    const plaintext = themis.open(dataKey, parsed.sealedData, NO_CONTEXT);
    dataKey.fill(0);
    if (plaintext !== undefined) return plaintext;
  }
  throw invalid('the AcraBlock does not open with the keys of this client');
}

export function encodeContainer(envelope: keyof typeof ENVELOPE_IDS, body: Buffer): Buffer {
  const header = Buffer.alloc(CONTAINER_HEADER_BYTES);
  CONTAINER_TAG.copy(header);
  header.writeBigUInt64LE(BigInt(CONTAINER_HEADER_BYTES + body.length), CONTAINER_TAG.length);
  header.writeUInt8(ENVELOPE_IDS[envelope], CONTAINER_HEADER_BYTES - 1);
  return Buffer.concat([header, body]);
}

/** Tag and HMAC of a value; put it before the container, or compare it with the first 33 bytes of a column. */
export function searchHash(hmacKey: Buffer, plaintext: Buffer): Buffer {
  const hmac = createHmac('sha256', hmacKey).update(plaintext).digest();
  return Buffer.concat([Buffer.of(SEARCHABLE_TAG), hmac]);
}

function envelopeOf(id: number | undefined): keyof typeof ENVELOPE_IDS | undefined {
  if (id === ENVELOPE_IDS.acrablock) return 'acrablock';
  return id === ENVELOPE_IDS.acrastruct ? 'acrastruct' : undefined;
}

/** A container at the beginning of some bytes. */
export interface FoundContainer {
  readonly envelope: keyof typeof ENVELOPE_IDS;
  readonly body: Buffer;
  /** Where the container ends; more bytes may follow. */
  readonly end: number;
}

/** Whether the bytes begin like a container: tag, any length, known envelope, and at least one byte more. */
export function isContainerHeader(bytes: Buffer): boolean {
  const hasTag = bytes.subarray(0, CONTAINER_TAG.length).equals(CONTAINER_TAG);
  return hasTag && bytes.length > CONTAINER_HEADER_BYTES && envelopeOf(bytes[CONTAINER_HEADER_BYTES - 1]) !== undefined;
}

/** The container that the bytes begin with; its body is not looked at. */
export function containerAt(bytes: Buffer): FoundContainer | undefined {
  if (!isContainerHeader(bytes)) return undefined;
  const length = bytes.readBigUInt64LE(CONTAINER_TAG.length);
  if (length < BigInt(CONTAINER_HEADER_BYTES) || length > BigInt(bytes.length)) return undefined;
  const envelope = envelopeOf(bytes[CONTAINER_HEADER_BYTES - 1]);
  const end = Number(length);
  return envelope && { envelope, body: bytes.subarray(CONTAINER_HEADER_BYTES, end), end };
}

/** Length of the AcraBlock that the bytes begin with, by its header; there may be fewer of them. */
function statedBlockLength(bytes: Buffer): number | undefined {
  if (bytes.length < BLOCK_HEADER_BYTES || !bytes.subarray(0, BLOCK_TAG.length).equals(BLOCK_TAG)) return undefined;
  const length = Number(bytes.readBigUInt64LE(BLOCK_TAG.length)) + BLOCK_TAG.length;
  const isKnown = bytes[KEY_ID_OFFSET - 1] === SECURE_CELL && bytes[KEY_ID_OFFSET + KEY_ID_BYTES] === SECURE_CELL;
  return isKnown && length >= BLOCK_HEADER_BYTES ? length : undefined;
}

/** Length of the AcraBlock that the bytes begin with, by its header. */
export function acraBlockLength(bytes: Buffer): number | undefined {
  const length = statedBlockLength(bytes);
  return length !== undefined && length <= bytes.length ? length : undefined;
}

/** acra-server adds the tag's length in a signed integer of 64 bits. */
const MAX_BLOCK_LENGTH = 2n ** 63n - 1n - BigInt(BLOCK_TAG.length);

/**
 * Whether the bytes begin like an AcraBlock that states a length which no block can have: less than its own header, or more than
 * acra-server can count. acra-server 0.96.0 takes some of these for encrypted, and panics over the others, in a container over all.
 */
export function isImpossibleBlock(bytes: Buffer): boolean {
  if (bytes.length < BLOCK_HEADER_BYTES || !bytes.subarray(0, BLOCK_TAG.length).equals(BLOCK_TAG)) return false;
  const isKnown = bytes[KEY_ID_OFFSET - 1] === SECURE_CELL && bytes[KEY_ID_OFFSET + KEY_ID_BYTES] === SECURE_CELL;
  const length = bytes.readBigUInt64LE(BLOCK_TAG.length);
  return isKnown && (length < BLOCK_HEADER_BYTES - BLOCK_TAG.length || length > MAX_BLOCK_LENGTH);
}

/** Secure Cell Seal: four u32 (algorithm, lengths of nonce, tag and message), then nonce and tag of these lengths. */
const CELL_MESSAGE_LENGTH_OFFSET = 12;
const SEALED_KEY_BYTES = 76;
/** What `blockFacts` reads of a block in a container. */
export const MAX_FACTS_BYTES: number =
  CONTAINER_HEADER_BYTES + BLOCK_HEADER_BYTES + SEALED_KEY_BYTES + CELL_MESSAGE_LENGTH_OFFSET + 4;

export interface BlockFacts {
  /** In hex. */
  readonly keyId: string;
  readonly plaintextBytes: number;
}

/**
 * What an AcraBlock tells of itself without a key.
 * @param head of a container, or of a bare block: MAX_FACTS_BYTES of it, or all @returns undefined for anything else
 */
export function blockFacts(head: Buffer): BlockFacts | undefined {
  const block = behindContainerHeader(head);
  if (statedBlockLength(block) === undefined) return undefined;
  const cell = BLOCK_HEADER_BYTES + block.readUInt16LE(BLOCK_HEADER_BYTES - 2);
  if (block.length < cell + CELL_MESSAGE_LENGTH_OFFSET + 4) return undefined;
  const id = block.subarray(KEY_ID_OFFSET, KEY_ID_OFFSET + KEY_ID_BYTES).toString('hex');
  return { keyId: id, plaintextBytes: block.readUInt32LE(cell + CELL_MESSAGE_LENGTH_OFFSET) };
}

/** What follows the header of a container; the bytes themselves where there is none. */
export function behindContainerHeader(bytes: Buffer): Buffer {
  return isContainerHeader(bytes) ? bytes.subarray(CONTAINER_HEADER_BYTES) : bytes;
}

/** Whether the bytes are an AcraStruct by their tag and length: tag, public key, wrapped key, u64 length, data (acra-server contract 9.1). */
export function isAcraStruct(bytes: Buffer): boolean {
  if (bytes.length < STRUCT_HEADER_BYTES || !bytes.subarray(0, STRUCT_TAG.length).equals(STRUCT_TAG)) return false;
  return bytes.readBigUInt64LE(STRUCT_HEADER_BYTES - 8) === BigInt(bytes.length - STRUCT_HEADER_BYTES);
}

/** Length of the AcraStruct that the bytes begin with, by its header; there may be fewer of them. */
function acraStructLength(bytes: Buffer): number | undefined {
  if (bytes.length < STRUCT_HEADER_BYTES || !bytes.subarray(0, STRUCT_TAG.length).equals(STRUCT_TAG)) return undefined;
  return STRUCT_HEADER_BYTES + Number(bytes.readBigUInt64LE(STRUCT_HEADER_BYTES - 8));
}

/** The longest header of what `envelopeLength` knows. */
export const MAX_HEAD_BYTES: number = CONTAINER_HEADER_BYTES + STRUCT_HEADER_BYTES;

/**
 * What the bytes begin with, by its header alone: a container with a block or struct in it, or one of these bare.
 * @param head MAX_HEAD_BYTES of it, or all @returns the length that it states; undefined for anything else
 */
export function statedLength(head: Buffer): number | undefined {
  const isContainer = isContainerHeader(head);
  const body = isContainer ? head.subarray(CONTAINER_HEADER_BYTES) : head;
  const bodyLength = acraStructLength(body) ?? statedBlockLength(body);
  if (bodyLength === undefined || !isContainer) return bodyLength;
  const length = Number(head.readBigUInt64LE(CONTAINER_TAG.length));
  return length >= CONTAINER_HEADER_BYTES + bodyLength ? length : undefined;
}

/** Where the next container may begin. @returns -1 for nowhere */
export function nextContainerTag(bytes: Buffer, from: number): number {
  return bytes.indexOf(CONTAINER_TAG, from);
}

/** Where the next AcraBlock without a container may begin. @returns -1 for nowhere */
export function nextBlockTag(bytes: Buffer, from: number): number {
  return bytes.indexOf(BLOCK_TAG, from);
}

/** The 33 bytes that the bytes begin with, if they have the form of searchHash(). */
export function searchHashAt(bytes: Buffer): Buffer | undefined {
  return bytes[0] === SEARCHABLE_TAG && bytes.length >= SEARCH_HASH_BYTES
    ? bytes.subarray(0, SEARCH_HASH_BYTES)
    : undefined;
}
