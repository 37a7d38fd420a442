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

const SEARCHABLE_TAG = 0x7f;
const HMAC_BYTES = 32;
/** Length of the searchable prefix: what `substr(column, 1, 33)` compares. */
export const SEARCH_HASH_BYTES = 1 + HMAC_BYTES;

const ENVELOPE_IDS = { acrablock: 0xf0, acrastruct: 0xf1 } as const;

/** A container found inside other bytes, at `start` up to (without) `end`. */
export interface FoundContainer {
  readonly start: number;
  readonly end: number;
  readonly envelope: keyof typeof ENVELOPE_IDS;
  readonly body: Buffer;
  /**
   * The 33 bytes before the container when they could be tag and HMAC. They are, and belong to the value rather than to
   * its surroundings, if they equal searchHash() of the plaintext.
   */
  readonly searchHash: Buffer | undefined;
}

function invalid(message: string): AcraError {
  return new AcraError('ACRA_CONTAINER_INVALID', message);
}

/** First two bytes of SHA-256 over the key; the context that would follow it is empty. */
function keyId(key: Buffer): Buffer {
  return createHash('sha256').update(key).digest().subarray(0, KEY_ID_BYTES);
}

/** Encrypts under a fresh data key. @param plaintext at least one byte: Acra leaves empty values as they are. */
export function encodeAcraBlock(themis: Themis, clientKey: Buffer, plaintext: Buffer, random: Random): Buffer {
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
export function openAcraBlock(themis: Themis, clientKeys: readonly Buffer[], block: Buffer): Buffer {
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

function containerAt(bytes: Buffer, at: number, from: number): FoundContainer | undefined {
  if (bytes.length - at < CONTAINER_HEADER_BYTES) return undefined;
  const length = bytes.readBigUInt64LE(at + CONTAINER_TAG.length);
  if (length < BigInt(CONTAINER_HEADER_BYTES) || length > BigInt(bytes.length - at)) return undefined;
  const envelope = envelopeOf(bytes[at + CONTAINER_HEADER_BYTES - 1]);
  if (envelope === undefined) return undefined;
  const end = at + Number(length);
  const hashAt = at - SEARCH_HASH_BYTES;
  const hasHash = hashAt >= from && bytes[hashAt] === SEARCHABLE_TAG;
  return {
    start: at,
    end,
    envelope,
    body: bytes.subarray(at + CONTAINER_HEADER_BYTES, end),
    searchHash: hasHash ? bytes.subarray(hashAt, at) : undefined,
  };
}

/**
 * Finds every container, also embedded in other bytes, from left to right and without overlap; acra-server decrypts
 * those as well (acra-server contract 4.3). Bytes that only look like the beginning of one are passed over.
 */
export function findContainers(bytes: Buffer): FoundContainer[] {
  const found: FoundContainer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(CONTAINER_TAG); at !== -1; ) {
    const container = containerAt(bytes, at, from);
    if (container) {
      found.push(container);
      from = container.end;
    }
    at = bytes.indexOf(CONTAINER_TAG, container ? container.end : at + 1);
  }
  return found;
}
