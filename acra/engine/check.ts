/**
 * What acra-server made of a value is checked before anybody may use it. acra-server fails open: without a key, or where it cannot
 * read something, it sends the value on as it came (acra-server contract 0.2). Here that ends in an error.
 */
import {
  acraBlockLength,
  behindContainerHeader,
  containerAt,
  isAcraStruct,
  isContainerHeader,
  isImpossibleBlock,
  MAX_HEAD_BYTES,
  nextBlockTag,
  nextContainerTag,
  searchHashAt,
  statedLength,
} from '../container.ts';
import type { EncryptedColumn } from '../encryptor-config/schema.ts';
import { EngineError } from '../errors.ts';

/**
 * - `protected`: a container that acra-server made.
 * - `kept`: the value came back as it was, perhaps behind a new search hash: acra-server took it for a container. Only one that
 *   opens may pass for that.
 */
export type Outcome = 'protected' | 'kept';

function unprotected({ name }: EncryptedColumn, found: string): EngineError {
  return new EngineError('ENGINE_UNPROTECTED', `acra-server did not protect a value for column "${name}"`, { found });
}

/** Of exactly one container, whose body states its own length truly. */
function envelopeOfWhole(bytes: Buffer): EncryptedColumn['envelope'] | undefined {
  const container = containerAt(bytes);
  if (container?.end !== bytes.length) return undefined;
  const { body, envelope } = container;
  const isWhole = envelope === 'acrablock' ? acraBlockLength(body) === body.length : isAcraStruct(body);
  return isWhole ? envelope : undefined;
}

const INTEGER_BYTES = { int32: 4, int64: 8 } as const;

/** acra-server reads whatever number of bytes it gets as an integer, and so another one. @throws EngineError ENGINE_VALUE_INVALID */
export function checkForm({ name, dataType }: EncryptedColumn, value: Buffer): void {
  if (dataType !== 'int32' && dataType !== 'int64') return;
  const bytes = INTEGER_BYTES[dataType];
  if (value.length === bytes) return;
  throw new EngineError('ENGINE_VALUE_INVALID', `a value for column "${name}" is no ${dataType}`, {
    found: `${value.length} bytes`,
    allowed: `${bytes} bytes`,
  });
}

/** Of a value that looks encrypted and is not. */
export function foreignValue({ name }: EncryptedColumn): EngineError {
  const message = `a value for column "${name}" looks like a container of this identity and is none`;
  return new EngineError('ENGINE_VALUE_FOREIGN', message);
}

/** acra-server must not see what it breaks over. @throws EngineError ENGINE_VALUE_FOREIGN */
export function checkPossible(column: EncryptedColumn, value: Buffer): void {
  if (isImpossibleBlock(value) || isImpossibleBlock(behindContainerHeader(value))) throw foreignValue(column);
}

/** What has more tags than this, and nothing behind them, is made to be searched for long. */
const MAX_TAGS = 1_000;

/** Whether a container, or a bare block, may be anywhere in it. */
export function holdsContainer(bytes: Buffer): boolean {
  let tags = 0;
  for (const nextTag of [nextContainerTag, nextBlockTag]) {
    for (let at = nextTag(bytes, 0); at !== -1; at = nextTag(bytes, at + 1)) {
      const length = statedLength(bytes.subarray(at, at + MAX_HEAD_BYTES));
      tags += 1;
      if (tags > MAX_TAGS || (length !== undefined && length <= bytes.length - at)) return true;
    }
  }
  return false;
}

/** Encrypted once more it would change what is read after it (see MadeUpRow). @throws EngineError ENGINE_VALUE_FOREIGN */
function checkUnhashed(column: EncryptedColumn, value: Buffer): void {
  const hash = searchHashAt(value);
  if (hash && holdsContainer(value.subarray(hash.length))) throw foreignValue(column);
}

/** Of a value to store. @throws EngineError ENGINE_VALUE_INVALID, ENGINE_VALUE_FOREIGN */
export function checkValue(column: EncryptedColumn, value: Buffer): void {
  checkForm(column, value);
  checkPossible(column, value);
  checkUnhashed(column, value);
}

/** Whether acra-server may take the value for something that is encrypted already. */
export function looksEncrypted(value: Buffer): boolean {
  return isContainerHeader(value) || acraBlockLength(value) !== undefined || isAcraStruct(value);
}

const MIN_PREFIX_BYTES = 12;

/** Whether it is one container, or bare block, from end to end. */
export const isWholeContainer = (value: Buffer): boolean =>
  envelopeOfWhole(value) !== undefined || acraBlockLength(value) === value.length || isAcraStruct(value);

/**
 * Of a value that acra-server kept: whether it is one container (or bare block) from end to end, and opened as such. A container with
 * more behind it, or with another one inside, is kept just so, and would carry plaintext out.
 * @param revealed what acra-server makes of it on the way back
 */
export function isOwnContainer(value: Buffer, revealed: Buffer): boolean {
  const prefix = value.subarray(0, MIN_PREFIX_BYTES);
  return isWholeContainer(value) && !revealed.subarray(0, MIN_PREFIX_BYTES).equals(prefix) && !revealed.includes(value);
}

/** What is behind the hash, or beside what masking leaves open; the bytes themselves where there is none of these. */
export function containerIn({ searchable, masking }: EncryptedColumn, stored: Buffer): Buffer {
  if (searchable) return stored.subarray(searchHashAt(stored)?.length ?? 0);
  if (!masking || isWholeContainer(stored)) return stored;
  const { plaintextBytes, side } = masking;
  return side === 'left'
    ? stored.subarray(plaintextBytes)
    : stored.subarray(0, Math.max(0, stored.length - plaintextBytes));
}

/** What masking leaves readable is a part of the value itself; the rest must be a container. */
function withoutMaskedPart({ masking }: EncryptedColumn, value: Buffer, stored: Buffer): Buffer | undefined {
  if (!masking) return stored;
  const { plaintextBytes, side } = masking;
  if (value.length <= plaintextBytes) return stored;
  const isLeft = side === 'left';
  const open = isLeft ? value.subarray(0, plaintextBytes) : value.subarray(value.length - plaintextBytes);
  const shown = isLeft ? stored.subarray(0, plaintextBytes) : stored.subarray(stored.length - plaintextBytes);
  if (!open.equals(shown)) return undefined;
  return isLeft ? stored.subarray(plaintextBytes) : stored.subarray(0, stored.length - plaintextBytes);
}

/**
 * @param value what was to be stored, not empty
 * @param stored what acra-server would have sent to the database
 * @throws EngineError ENGINE_UNPROTECTED, ENGINE_VALUE_FOREIGN
 */
export function checkStored(column: EncryptedColumn, value: Buffer, stored: Buffer): Outcome {
  const hash = column.searchable ? searchHashAt(stored) : undefined;
  // What it takes for encrypted and cannot open it cannot hash either.
  if (column.searchable && stored.equals(value) && looksEncrypted(value)) throw foreignValue(column);
  if (column.searchable && !hash) throw unprotected(column, 'no search hash');
  const rest = stored.subarray(hash?.length ?? 0);
  // Behind what masking leaves readable it looks for a container as well.
  if (rest.equals(value) && looksEncrypted(containerIn(column, value))) return 'kept';
  const container = withoutMaskedPart(column, value, rest);
  const isChanged = !rest.equals(value) && !stored.equals(value);
  if (isChanged && container && envelopeOfWhole(container) === column.envelope) return 'protected';
  throw unprotected(column, isChanged ? `${stored.length} bytes that are no container` : 'the value as it was');
}

/** @throws EngineError ENGINE_UNPROTECTED, ENGINE_VALUE_FOREIGN */
export function checkSearched(column: EncryptedColumn, value: Buffer, sent: Buffer): void {
  if (sent.equals(value) && looksEncrypted(value)) throw foreignValue(column);
  if (searchHashAt(sent)?.length !== sent.length) throw unprotected(column, 'no search hash');
}
