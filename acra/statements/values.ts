/** Protected values: bytea's text forms (PostgreSQL manual, "Binary Data Types"), and what the database gets instead of a value. */
import type { EncryptedColumn } from '../encryptor-config/schema.ts';
import { Refusal } from './refusal.ts';

/** What encrypts for one session. */
export interface ValueCipher {
  /** What is stored instead of the value. @throws SessionError 58000 without a key */
  encrypt(column: EncryptedColumn, plaintext: Buffer): Buffer;
  /** The prefix that is compared instead of the value. @throws SessionError 58000 without a key */
  searchHash(column: EncryptedColumn, plaintext: Buffer): Buffer;
}

/** A backslash or a byte in octal. */
const ESCAPED = /\\(?:\\|([0-3][0-7]{2}))/g;

export function encodeBytea(bytes: Buffer): string {
  return `\\x${bytes.toString('hex')}`;
}

/** Hex or escape form. @returns undefined for what PostgreSQL would refuse (and for white space between hex digits) */
export function decodeBytea(text: Buffer): Buffer | undefined {
  const characters = text.toString('latin1');
  if (characters.startsWith('\\x')) {
    const bytes = Buffer.from(characters.slice(2), 'hex');
    return bytes.length * 2 === characters.length - 2 ? bytes : undefined;
  }
  if (characters.replace(ESCAPED, '').includes('\\')) return undefined;
  const decode = (_: string, octal?: string) => (octal ? String.fromCharCode(Number.parseInt(octal, 8)) : '\\');
  return Buffer.from(characters.replace(ESCAPED, decode), 'latin1');
}

export interface ValueUse {
  readonly column: EncryptedColumn;
  readonly role: 'store' | 'search';
}

/**
 * A text for a `str` column keeps its bytes exactly: `\x41` is four characters, where acra-server would store the letter
 * A. For all others bytea's input rules hold, as in Acra. Binary parameters are exact everywhere.
 * @throws Refusal 22P02 @throws SessionError 58000 without a key
 */
export function protectValue(
  cipher: ValueCipher,
  { column, role }: ValueUse,
  value: Buffer,
  isBinary: boolean,
): Buffer {
  const plaintext = isBinary || column.dataType === 'str' ? value : decodeBytea(value);
  if (plaintext === undefined) throw new Refusal(`the value for column "${column.name}" is no valid bytea`, '22P02');
  return role === 'store' ? cipher.encrypt(column, plaintext) : cipher.searchHash(column, plaintext);
}
