/** Encrypts and decrypts for one session (acra-server contract 2.3, 4.3): with keys of the column's client to write, the session's own to read. */

import {
  encodeAcraBlock,
  encodeContainer,
  type FoundContainer,
  findContainers,
  openAcraBlock,
  searchHash,
} from '../../acra/container.ts';
import type { EncryptedColumn } from '../../acra/encryptor-config/schema.ts';
import type { Themis } from '../../acra/keystore/themis.ts';
import { SessionError } from '../../postgres/session-error.ts';
import type { Random } from '../../runtime/random.ts';
import type { Keyring } from './keyring.ts';

export interface CipherOptions {
  readonly themis: Themis;
  readonly keyring: Keyring;
  readonly random: Random;
  /** Undefined: poison records are not looked for. */
  readonly onPoisonRecord: (() => void) | undefined;
}

export interface Revealed {
  /** The bytes with every container that opened replaced by its plaintext. */
  readonly bytes: Buffer;
  readonly openedCount: number;
  readonly closedCount: number;
}

export class Cipher {
  readonly #options: CipherOptions;
  readonly #clientId: string;

  constructor(options: CipherOptions, clientId: string) {
    this.#options = options;
    this.#clientId = clientId;
  }

  /** What is stored instead of the value; an empty value stays empty, as in Acra. @throws SessionError 58000 without a key */
  encrypt(column: EncryptedColumn, plaintext: Buffer): Buffer {
    if (plaintext.length === 0) return plaintext;
    const { themis, random } = this.#options;
    const block = encodeAcraBlock(themis, this.#keyFor(column, 'storage-symmetric'), plaintext, random);
    const hash = column.searchable ? [this.searchHash(column, plaintext)] : [];
    return Buffer.concat([...hash, encodeContainer('acrablock', block)]);
  }

  /** The first 33 bytes of what is stored for a searchable value. @throws SessionError 58000 without a key */
  searchHash(column: EncryptedColumn, plaintext: Buffer): Buffer {
    return plaintext.length === 0 ? plaintext : searchHash(this.#keyFor(column, 'search-hmac'), plaintext);
  }

  reveal(bytes: Buffer): Revealed {
    const containers = findContainers(bytes);
    const parts: Buffer[] = [];
    let at = 0;
    for (const container of containers) {
      const plaintext = this.#open(container);
      if (plaintext === undefined) continue;
      parts.push(bytes.subarray(at, this.#startOf(container, plaintext)), plaintext);
      at = container.end;
    }
    const openedCount = parts.length / 2;
    const revealed = Buffer.concat([...parts, bytes.subarray(at)]);
    return { bytes: revealed, openedCount, closedCount: containers.length - openedCount };
  }

  #keyFor(column: EncryptedColumn, purpose: 'storage-symmetric' | 'search-hmac'): Buffer {
    const [key] = this.#options.keyring.keys(purpose, column.clientId ?? this.#clientId);
    if (key) return key;
    throw new SessionError('58000', `the keystore holds no key of this client for column "${column.name}"`);
  }

  #startOf({ start, searchHash: found }: FoundContainer, plaintext: Buffer): number {
    const [key] = this.#options.keyring.keys('search-hmac', this.#clientId);
    return found && key && searchHash(key, plaintext).equals(found) ? start - found.length : start;
  }

  #open({ envelope, body }: FoundContainer): Buffer | undefined {
    if (envelope !== 'acrablock') return undefined;
    const { keyring, onPoisonRecord } = this.#options;
    const plaintext = this.#tryKeys(keyring.keys('storage-symmetric', this.#clientId), body);
    if (!plaintext && onPoisonRecord && this.#tryKeys(keyring.keys('poison-symmetric', ''), body)) onPoisonRecord();
    return plaintext;
  }

  #tryKeys(keys: readonly Buffer[], block: Buffer): Buffer | undefined {
    try {
      return openAcraBlock(this.#options.themis, keys, block);
    } catch {
      return undefined;
    }
  }
}
