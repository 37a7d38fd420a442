/**
 * Decrypts result rows as acra-server 0.96.0 does (acra-server contract 4.3, 11.7): any container in any column, typed by
 * data_type where the column is known.
 */
import type { CellKind } from '../../acra/conversation/value-protector.ts';
import type { EncryptedColumn } from '../../acra/encryptor-config/schema.ts';
import { encodeBytea } from '../../postgres/bytea.ts';
import { DATA_ROW, HEADER_BYTES } from '../../postgres/messages.ts';
import { SessionError } from '../../postgres/session-error.ts';
import type { Cipher } from './cipher.ts';
import { decodeEscaped } from './escaped.ts';
import type { HashCheck } from './hash-check.ts';
import type { TokenBook } from './token-book.ts';

/** What `response_on_fail` gives for a cell that does not decrypt, if not the ciphertext. @throws SessionError 42000 */
function substitute({ name, onFail, dataType, defaultValue = '' }: EncryptedColumn): Buffer | undefined {
  if (onFail === 'error') throw new SessionError('42000', `encoding error in column "${name}"`);
  return onFail === 'ciphertext' ? undefined : Buffer.from(defaultValue, dataType === 'str' ? 'utf8' : 'base64');
}

interface Read {
  readonly bytes: Buffer;
  /** Undefined: they are the cell itself, which could not be decoded. */
  readonly cell: Buffer | undefined;
}

/** What stands in a cell, text forms decoded; in a column of unknown type binary cells too, as there. @throws SessionError 22023 */
function readCell(cell: Buffer, { column, isBinary }: CellKind): Read {
  if (isBinary && column?.dataType) return { bytes: cell, cell: undefined };
  const escaped = decodeEscaped(cell);
  if (escaped.kind === 'not-hex') throw new SessionError('22023', 'a cell begins with \\x and is no valid bytea');
  return escaped.kind === 'bytes' ? { bytes: escaped.bytes, cell } : { bytes: cell, cell: undefined };
}

export class RowReader {
  readonly #cipher: Cipher;
  readonly #hashCheck: HashCheck | undefined;
  readonly #tokens: TokenBook | undefined;

  /** @param hashCheck undefined: no column of the configuration is searchable @param tokens undefined: none has any */
  constructor(cipher: Cipher, hashCheck: HashCheck | undefined, tokens?: TokenBook) {
    this.#tokens = tokens;
    this.#cipher = cipher;
    this.#hashCheck = hashCheck;
  }

  /** @returns the DataRow to send on. @throws SessionError 42000 where response_on_fail is `error`, 22023 */
  reveal(frame: Buffer, kindsOf: (count: number) => readonly CellKind[]): Buffer {
    const [cells] = DATA_ROW.decode(frame.subarray(HEADER_BYTES));
    const kinds = kindsOf(cells.length);
    const revealed = cells.map((cell, index) => (cell && kinds[index] ? this.#revealCell(cell, kinds[index]) : cell));
    return revealed.every((cell, index) => cell === cells[index]) ? frame : DATA_ROW.encode(revealed);
  }

  #revealCell(stored: Buffer, kind: CellKind): Buffer {
    if (kind.column?.token && this.#tokens) return this.#tokens.valueOf(kind.column, stored) ?? stored;
    const { bytes: encrypted, cell } = readCell(stored, kind);
    const { bytes, isDecrypted } = this.#decrypt(encrypted);
    if (bytes.length === 0) return stored.length === 0 ? stored : bytes;
    const { column, isBinary } = kind;
    const inText = (plain: Buffer) => (isBinary ? plain : Buffer.from(encodeBytea(plain)));
    if (!column?.dataType) return isDecrypted ? inText(bytes) : (cell ?? bytes);
    const other = isDecrypted ? undefined : substitute(column);
    return column.dataType === 'str' ? (other ?? bytes) : inText(other ?? bytes);
  }

  #decrypt(stored: Buffer): { readonly bytes: Buffer; readonly isDecrypted: boolean } {
    const first = this.#hashCheck?.pass(stored).bytes ?? stored;
    const { bytes, hasOpened } = this.#cipher.reveal(first);
    const second = this.#hashCheck?.pass(bytes);
    return { bytes: second?.bytes ?? bytes, isDecrypted: hasOpened && !second?.isForeign };
  }
}
