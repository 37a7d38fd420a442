/**
 * Reads SCRAM messages: attributes of one letter, `=` and a value, separated by commas. Strict and bounded: no zero byte, nothing
 * behind the last attribute, no empty one. Specification: RFC 5802 sections 5.1 and 7; PostgreSQL 18, "SASL Authentication".
 */
import { malformed } from './refusal.ts';

/** The longest that occurs, with a salt of 1 KiB and certificates' hashes of 64 bytes, is below 2 KiB. */
const MAX_SCRAM_BYTES = 4096;
/** In characters. PostgreSQL's, ours and theirs together, has 48; pgx's and JDBC's are as short. */
const MAX_NONCE_LENGTH = 512;
const COMMA = 0x2c;
const EQUALS = 0x3d;

interface Attribute {
  readonly name: string;
  /** A view of the message. */
  readonly value: Buffer;
  /** Where its name stands in the message. */
  readonly offset: number;
}

/** @throws SessionError 08P01 */
export function checkMessage(message: Buffer): void {
  if (message.length === 0) throw malformed('it is empty');
  if (message.length > MAX_SCRAM_BYTES) {
    throw malformed(`it has ${message.length} bytes, at most ${MAX_SCRAM_BYTES} are allowed`);
  }
  if (message.includes(0)) throw malformed('a zero byte is in it');
}

/** Front to back. Everything throws SessionError 08P01 where the message is not what is asked for. */
export class AttributeReader {
  readonly #message: Buffer;
  #offset: number;

  /** @param offset where to begin */
  constructor(message: Buffer, offset = 0) {
    checkMessage(message);
    this.#message = message;
    this.#offset = offset;
  }

  get isAtEnd(): boolean {
    return this.#offset > this.#message.length;
  }

  /** What lies between two commas, attribute or not. */
  field(): Buffer {
    if (this.isAtEnd) throw malformed('it ends early');
    const comma = this.#message.indexOf(COMMA, this.#offset);
    const end = comma === -1 ? this.#message.length : comma;
    const field = this.#message.subarray(this.#offset, end);
    this.#offset = end + 1;
    return field;
  }

  next(): Attribute {
    const offset = this.#offset;
    const field = this.field();
    const name = field.toString('latin1', 0, 1);
    if (field[1] !== EQUALS || !/^[A-Za-z]$/.test(name)) throw malformed('an attribute is no letter with a value');
    return { name, value: field.subarray(2), offset };
  }

  value(name: string): Buffer {
    const attribute = this.next();
    if (attribute.name !== name) throw malformed(`attribute ${name} is not where it belongs`);
    return attribute.value;
  }

  /** Printable ASCII, as long as it may be. */
  nonce(): string {
    const nonce = this.value('r').toString('latin1');
    if (!/^[\x21-\x7e]+$/.test(nonce)) throw malformed('the nonce is not printable');
    if (nonce.length > MAX_NONCE_LENGTH) {
      throw malformed(`the nonce has ${nonce.length} characters, at most ${MAX_NONCE_LENGTH} are allowed`);
    }
    return nonce;
  }

  end(): void {
    if (!this.isAtEnd) throw malformed('something follows the last attribute');
  }
}
