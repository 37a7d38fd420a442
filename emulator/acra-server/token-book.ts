/**
 * Tokens as acra-server 0.96.0 makes them without a Redis (acra-server contract 2.6): random values of the form of those that they stand for, of
 * one client, and lost with the process. Only as an engine, which gives and gets values in binary format.
 */
import type { TokenType } from '../../acra/encryptor-config/data-types.ts';
import type { EncryptedColumn } from '../../acra/encryptor-config/schema.ts';
import type { Random } from '../../runtime/random.ts';

const CHARACTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const TLD = '.org';
/** Then a value has none. */
const TRIES = 10;

export class TokenBook {
  readonly #random: Random;
  /** By type and token. */
  readonly #values = new Map<string, Buffer>();
  /** Consistent ones, by type and value. */
  readonly #tokens = new Map<string, Buffer>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** An empty value stays empty; so does any of which no other is left. */
  tokenFor({ token }: EncryptedColumn, value: Buffer): Buffer {
    if (!token || value.length === 0) return value;
    const known = token.isConsistent ? this.#tokens.get(keyOf(token.type, value)) : undefined;
    if (known) return known;
    for (let tries = 0; tries < TRIES; tries += 1) {
      const made = this.#made(token.type, value.length);
      const key = keyOf(token.type, made);
      if (this.#values.has(key)) continue;
      this.#values.set(key, Buffer.from(value));
      if (token.isConsistent) this.#tokens.set(keyOf(token.type, value), made);
      return made;
    }
    return value;
  }

  /** @returns undefined for what is no token */
  valueOf({ token }: EncryptedColumn, cell: Buffer): Buffer | undefined {
    return token && this.#values.get(keyOf(token.type, cell));
  }

  #made(type: TokenType, length: number): Buffer {
    const bytes = this.#random.bytes(length);
    if (type !== 'str' && type !== 'email') return bytes;
    const text = Array.from(bytes, (byte) => CHARACTERS[byte % CHARACTERS.length]);
    if (type === 'email') {
      text.splice(-TLD.length, TLD.length, ...TLD);
      text[(length - TLD.length) >> 1] = '@';
    }
    return Buffer.from(text.join(''));
  }
}

const keyOf = (type: TokenType, bytes: Buffer): string => `${type} ${bytes.toString('hex')}`;
