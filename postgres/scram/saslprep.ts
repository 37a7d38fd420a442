/**
 * A password as SCRAM hashes it: SASLprep as PostgreSQL does it, which is not quite the specification. A client that follows the
 * letter derives other keys than the database has, so PostgreSQL is followed where they differ:
 *
 * - prohibited, unassigned and bidirectional characters are looked for before the normalisation, not behind it;
 * - a password that SASLprep refuses, or that is no UTF-8, is not refused but hashed as it is, byte by byte.
 *
 * Specification: RFC 4013; RFC 3454 section 6; PostgreSQL 18, src/common/saslprep.c and src/interfaces/libpq/fe-auth-scram.c, scram_init.
 * Node's own normalisation (NFKC) does the rest; packages follow the letter.
 */
import {
  isIn,
  LEFT_TO_RIGHT,
  MAPPED_TO_NOTHING,
  NON_ASCII_SPACES,
  PROHIBITED,
  RIGHT_TO_LEFT,
  UNASSIGNED,
} from './saslprep-tables.ts';

const SPACE = 0x20;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decoded(password: Buffer): number[] | undefined {
  try {
    return Array.from(utf8.decode(password), (character) => character.codePointAt(0) ?? 0);
  } catch {
    return undefined;
  }
}

function mapped(characters: readonly number[]): number[] {
  return characters
    .map((character) => (isIn(NON_ASCII_SPACES, character) ? SPACE : character))
    .filter((character) => !isIn(MAPPED_TO_NOTHING, character));
}

/** RFC 3454, section 6: all or nothing runs from right to left, at both ends too. */
function suitsDirections(characters: readonly number[]): boolean {
  const isRightToLeft = (character = 0) => isIn(RIGHT_TO_LEFT, character);
  if (!characters.some(isRightToLeft)) return true;
  if (characters.some((character) => isIn(LEFT_TO_RIGHT, character))) return false;
  return isRightToLeft(characters[0]) && isRightToLeft(characters.at(-1));
}

function isAllowed(characters: readonly number[]): boolean {
  if (characters.length === 0) return false;
  const isBad = (character: number) => isIn(PROHIBITED, character) || isIn(UNASSIGNED, character);
  return !characters.some(isBad) && suitsDirections(characters);
}

/**
 * A password of ASCII alone stays in Buffers. One with other characters passes through a string of the language, which cannot be
 * zeroed: normalisation knows no other form.
 * @param password is not changed
 * @returns a copy that the caller zeroes
 */
export function preparePassword(password: Buffer): Buffer {
  const isAscii = password.every((byte) => byte < 0x80);
  const characters = isAscii ? undefined : mapped(decoded(password) ?? []);
  if (!characters || !isAllowed(characters)) return Buffer.from(password);
  const text = characters.map((character) => String.fromCodePoint(character)).join('');
  return Buffer.from(text.normalize('NFKC'));
}
