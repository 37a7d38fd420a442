/**
 * Values of columns of tokens, exchanged by acra-server 0.96.0, which keeps in Redis what a token stands for. Where it cannot reach Redis it
 * sends a value on as it came, and gives a token back as the value (tried with a Redis that ends, and one that does not answer): what comes
 * back as it went in is none. So no value may become a token that equals it, not even by chance.
 */
import type { EncryptedColumn } from '../encryptor-config/schema.ts';
import { EngineError } from '../errors.ts';
import { checkForm, holdsContainer, looksEncrypted } from './check.ts';

interface Asked {
  /** What acra-server makes of a value to store. */
  store(of: EncryptedColumn, value: Buffer): Promise<Buffer>;
  reveal(of: EncryptedColumn, cells: readonly Buffer[]): Promise<readonly Buffer[]>;
}

/** A token may equal its value by chance (consistent ones stay so), and acra-server have a connection to Redis that has ended. */
const TRIES = 2;
/** `a@b.c`: acra-server makes no email of fewer, and ends the session over one of less than three. */
const MIN_EMAIL_BYTES = 5;

const FORMS: Readonly<Partial<Record<string, RegExp>>> = {
  str: /^[A-Za-z0-9]+$/,
  email: /^[A-Za-z0-9]+@[A-Za-z0-9]*\.[a-z]+$/,
};

/**
 * What acra-server keeps for a token: the value, and a type behind it (acra's pseudonymization/common/tokenTypes.proto). Redis can answer with one
 * where the token of a value is asked for, and has had that of another value stored in clear; both are sealed with one key.
 */
function isEntry(bytes: Buffer): boolean {
  const [VALUE_FIELD, TYPE_FIELD] = [0x0a, 0x10];
  const isTyped = bytes.at(-2) === TYPE_FIELD && bytes.length > 4;
  return bytes[0] === VALUE_FIELD && isTyped && lengthAt(bytes, 1) === bytes.length - 2;
}

/** Where what has its length in front of it ends; as Protocol Buffers write lengths. */
function lengthAt(bytes: Buffer, start: number): number {
  let [at, length, shift] = [start, 0, 1];
  for (;;) {
    const byte = bytes[at++] ?? 0;
    length += (byte & 0x7f) * shift;
    shift *= 0x80;
    if (byte < 0x80 || at > start + 4) return at + length;
  }
}

/** Of integers any may be one, of bytes nearly any. */
function isToken({ token }: EncryptedColumn, value: Buffer, made: Buffer): boolean {
  const form = FORMS[token?.type ?? ''];
  const isOfForm = form ? form.test(made.toString('latin1')) : token?.type !== 'bytes' || !isEntry(made);
  return made.length === value.length && isOfForm;
}

/** acra-server would read a container in it when the token is exchanged back. @throws EngineError ENGINE_VALUE_INVALID, ENGINE_VALUE_FOREIGN */
function checkTokenizable(of: EncryptedColumn, value: Buffer): void {
  checkForm(of, value);
  if (of.token?.type === 'email' && value.length < MIN_EMAIL_BYTES) {
    throw new EngineError('ENGINE_VALUE_INVALID', `a value for column "${of.name}" is too short for an email`, {
      found: `${value.length} bytes`,
      allowed: `${MIN_EMAIL_BYTES} bytes or more`,
    });
  }
  if (looksEncrypted(value) || holdsContainer(value)) {
    throw new EngineError(
      'ENGINE_VALUE_FOREIGN',
      `a value for column "${of.name}", which has tokens, holds a container`,
    );
  }
}

/** A container in the place of a token would be opened. */
const isExchanged = (token: Buffer, value: Buffer) =>
  value.length === token.length && !value.equals(token) && !holdsContainer(token);

function unknown({ name }: EncryptedColumn): never {
  throw new EngineError('ENGINE_TOKEN_UNKNOWN', `a token of column "${name}" was not exchanged for its value`);
}

export class TokenExchange {
  readonly #asked: Asked;

  constructor(asked: Asked) {
    this.#asked = asked;
  }

  /**
   * What is to be stored in the column, or compared with it, instead of the value. An empty one stays empty, as Acra has it.
   * @param value in the column's binary form
   * @throws EngineError ENGINE_TOKEN_MISSING; as AcraEngine.protect
   */
  async tokenFor(of: EncryptedColumn, value: Buffer): Promise<Buffer> {
    if (value.length === 0) return value;
    checkTokenizable(of, value);
    for (let tries = 0; tries < TRIES; tries += 1) {
      const made = await this.#asked.store(of, value);
      if (made.equals(value)) continue;
      if (isToken(of, value, made)) return made;
      throw new EngineError('ENGINE_UNPROTECTED', `acra-server made no token of a value for column "${of.name}"`, {
        found: `${made.length} bytes`,
        allowed: `${value.length} bytes of type ${of.token?.type}`,
      });
    }
    throw new EngineError('ENGINE_TOKEN_MISSING', `no token was made for a value for column "${of.name}"`);
  }

  /** What tokens stand for, in the column's binary form. @throws EngineError ENGINE_TOKEN_UNKNOWN where one stands for nothing; as AcraEngine.reveal */
  async valuesOf(of: EncryptedColumn, tokens: readonly Buffer[]): Promise<readonly Buffer[]> {
    const values = new Map<Buffer, Buffer>();
    let left = tokens;
    for (let tries = 0; tries < TRIES && left.length > 0; tries += 1) {
      const revealed = await this.#asked.reveal(of, left);
      for (const [at, token] of left.entries()) {
        const value = revealed[at];
        if (value && isExchanged(token, value)) values.set(token, value);
      }
      left = left.filter((token) => !values.has(token));
    }
    return tokens.map((token) => values.get(token) ?? unknown(of));
  }
}
