/** Values protected and read by the stand-in itself, which holds the keys, as acra-server in line would. */
import type { CellKind, ValueProtector } from '../../acra/conversation/value-protector.ts';
import type { LiteralEdit } from '../../acra/statements/draft.ts';
import type { ValueUse } from '../../acra/statements/value-use.ts';
import type { Cipher } from './cipher.ts';
import { HashCheck } from './hash-check.ts';
import { RowReader } from './rows.ts';
import type { TokenBook } from './token-book.ts';
import { protectLiteral, protectParameter } from './values.ts';

export class CipherProtector implements ValueProtector {
  readonly #cipher: Cipher;
  readonly #rows: RowReader;
  readonly #tokens: TokenBook | undefined;

  /** @param isSearchable whether any column of the configuration is @param tokens undefined: no column has any */
  constructor(cipher: Cipher, isSearchable: boolean, tokens?: TokenBook) {
    this.#cipher = cipher;
    this.#tokens = tokens;
    this.#rows = new RowReader(cipher, isSearchable ? new HashCheck(cipher) : undefined, tokens);
  }

  async literal(literal: LiteralEdit): Promise<Buffer> {
    return protectLiteral(this.#cipher, literal);
  }

  async parameter(use: ValueUse, value: Buffer | null, isBinary: boolean): Promise<Buffer | null> {
    if (use.column.token && this.#tokens) return value && this.#tokens.tokenFor(use.column, value);
    return protectParameter(this.#cipher, use, value, isBinary);
  }

  /** @throws SessionError 42000 where response_on_fail is `error`, 22023 */
  async rows(frames: readonly Buffer[], kindsOf: (cells: number) => readonly CellKind[]): Promise<readonly Buffer[]> {
    return frames.map((frame) => this.#rows.reveal(frame, kindsOf));
  }

  /** As acra-server in line: it does not look at them. */
  copied(): Promise<void> {
    return Promise.resolve();
  }
}
