/**
 * Encrypts and decrypts for one session as acra-server 0.96.0 does (acra-server contract 2.3, 4.3, 11.7): with keys of the
 * column's client to store, the session's own to compare and to read.
 */
import {
  acraBlockLength,
  containerAt,
  encodeAcraBlock,
  encodeContainer,
  isAcraStruct,
  isContainerHeader,
  nextBlockTag,
  nextContainerTag,
  openAcraBlock,
  searchHash,
} from '../../acra/container.ts';
import type { EncryptedColumn } from '../../acra/encryptor-config/schema.ts';
import type { Themis } from '../../acra/keystore/themis.ts';
import { Refusal } from '../../acra/statements/refusal.ts';
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
  readonly hasOpened: boolean;
}

/** What a value begins with that was encrypted already. A block may stand there without its container. */
type Envelope = { readonly kind: 'block'; readonly block: Buffer } | { readonly kind: 'struct' };

function blockIn(bytes: Buffer): Envelope | undefined {
  const length = acraBlockLength(bytes);
  return length === undefined ? undefined : { kind: 'block', block: bytes.subarray(0, length) };
}

function envelopeOf(value: Buffer): Envelope | undefined {
  const container = containerAt(value);
  if (container?.envelope === 'acrablock') return blockIn(container.body) ?? blockIn(value);
  if (isAcraStruct(container?.body ?? value)) return { kind: 'struct' };
  return blockIn(value);
}

export class Cipher {
  readonly #options: CipherOptions;
  readonly #clientId: string;

  constructor(options: CipherOptions, clientId: string) {
    this.#options = options;
    this.#clientId = clientId;
  }

  /**
   * What is stored instead of the value. An empty value stays empty, and one that is encrypted already stays as it is.
   * @throws SessionError 58000 without a key @throws Refusal
   */
  encrypt(column: EncryptedColumn, value: Buffer): Buffer {
    if (value.length === 0) return value;
    const clientId = column.clientId ?? this.#clientId;
    const envelope = envelopeOf(value);
    if (envelope?.kind === 'struct' && (column.searchable || column.reencryptsToAcraBlock))
      throw cannotReadStruct(column);
    const stored = envelope ? value : this.#newContainer(column, clientId, value);
    if (!column.searchable) return stored;
    const plaintext = envelope ? this.#opened(column, clientId, envelope) : value;
    return Buffer.concat([searchHash(this.#keyFor(column, 'search-hmac', clientId), plaintext), stored]);
  }

  /**
   * What the first 33 bytes of the column are compared with: the hash of the value, or of what it holds when it is
   * encrypted; of an empty one too, which finds nothing. @throws SessionError 58000 without a key @throws Refusal
   */
  searchHash(column: EncryptedColumn, value: Buffer): Buffer {
    const envelope = envelopeOf(value);
    const plaintext = envelope ? this.#opened(column, this.#clientId, envelope) : value;
    return searchHash(this.#keyFor(column, 'search-hmac', this.#clientId), plaintext);
  }

  /** Whether these 33 bytes are the hash of the value under the session's own key. */
  isHashOf(hash: Buffer, value: Buffer): boolean {
    const [key] = this.#options.keyring.keys('search-hmac', this.#clientId);
    return key !== undefined && searchHash(key, value).equals(hash);
  }

  /** Opens every container, wherever it stands; without any, the AcraBlocks that stand there bare. */
  reveal(bytes: Buffer): Revealed {
    let hasContainer = false;
    const containers = this.#replace(bytes, nextContainerTag, (rest) => {
      const container = containerAt(rest);
      hasContainer ||= isContainerHeader(rest);
      const block = container?.envelope === 'acrablock' ? blockIn(container.body) : undefined;
      const plaintext = block && this.#open(block);
      return plaintext && { plaintext, end: container?.end ?? 0 };
    });
    if (hasContainer) return containers;
    return this.#replace(bytes, nextBlockTag, (rest) => {
      const block = blockIn(rest);
      const plaintext = block && this.#open(block);
      return plaintext && block.kind === 'block' ? { plaintext, end: block.block.length } : undefined;
    });
  }

  #replace(
    bytes: Buffer,
    nextTag: (bytes: Buffer, from: number) => number,
    open: (rest: Buffer) => { readonly plaintext: Buffer; readonly end: number } | undefined,
  ): Revealed {
    const parts: Buffer[] = [];
    let done = 0;
    for (let at = nextTag(bytes, 0); at !== -1; ) {
      const opened = open(bytes.subarray(at));
      if (opened) {
        parts.push(bytes.subarray(done, at), opened.plaintext);
        done = at + opened.end;
      }
      at = nextTag(bytes, opened ? done : at + 1);
    }
    const hasOpened = parts.length > 0;
    return { bytes: hasOpened ? Buffer.concat([...parts, bytes.subarray(done)]) : bytes, hasOpened };
  }

  #newContainer(column: EncryptedColumn, clientId: string, plaintext: Buffer): Buffer {
    const { themis, random } = this.#options;
    const key = this.#keyFor(column, 'storage-symmetric', clientId);
    return encodeContainer('acrablock', encodeAcraBlock(themis, key, plaintext, random));
  }

  #keyFor(column: EncryptedColumn, purpose: 'storage-symmetric' | 'search-hmac', clientId: string): Buffer {
    const [key] = this.#options.keyring.keys(purpose, clientId);
    if (key) return key;
    throw new SessionError('58000', `the keystore holds no key of this client for column "${column.name}"`);
  }

  /** The plaintext of a value that the application sent encrypted. */
  #opened(column: EncryptedColumn, clientId: string, envelope: Envelope): Buffer {
    if (envelope.kind === 'struct') throw cannotReadStruct(column);
    const plaintext = this.#tryKeys(this.#options.keyring.keys('storage-symmetric', clientId), envelope.block);
    if (plaintext) return plaintext;
    throw new Refusal(
      'acra-server',
      `the container for column "${column.name}" does not open with this client's keys; acra-server would send the whole statement as it came`,
    );
  }

  #open(envelope: Envelope): Buffer | undefined {
    if (envelope.kind === 'struct') return undefined;
    const { keyring, onPoisonRecord } = this.#options;
    const plaintext = this.#tryKeys(keyring.keys('storage-symmetric', this.#clientId), envelope.block);
    const isPoison =
      !plaintext && onPoisonRecord && this.#tryKeys(keyring.keys('poison-symmetric', ''), envelope.block);
    if (isPoison) onPoisonRecord();
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

function cannotReadStruct({ name }: EncryptedColumn): Refusal {
  return new Refusal(
    'acra-server',
    `the value for column "${name}" is an AcraStruct, which the stand-in cannot open`,
    '0A000',
  );
}

/** Whether acra-server sees a container, AcraBlock or AcraStruct anywhere in the bytes. */
export function hasEnvelope(bytes: Buffer): boolean {
  for (let at = nextContainerTag(bytes, 0); at !== -1; at = nextContainerTag(bytes, at + 1)) {
    if (isContainerHeader(bytes.subarray(at))) return true;
  }
  for (let at = nextBlockTag(bytes, 0); at !== -1; at = nextBlockTag(bytes, at + 1)) {
    const rest = bytes.subarray(at);
    if (acraBlockLength(rest) !== undefined || isAcraStruct(rest)) return true;
  }
  return false;
}
