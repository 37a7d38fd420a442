/**
 * What the database has reported of how it reads statements (ParameterStatus; PostgreSQL 18, "Asynchronous Operations"). What it would
 * read otherwise than it is judged is refused. A database that lies about it gains nothing: it has every statement anyway.
 */
import { isAscii } from 'node:buffer';
import { DATA_ROW, HEADER_BYTES } from '../../postgres/messages.ts';
import { readsAsUtf8, requireSafeSetting } from '../../postgres/unsafe-settings.ts';
import type { EncryptedColumn } from '../encryptor-config/schema.ts';
import type { Plan, Prepared } from '../statements/plan.ts';
import { Refusal } from '../statements/refusal.ts';
import type { CellKind } from './value-protector.ts';

/** No encoding: bytes go to and fro as they are. */
const SQL_ASCII = /^sql_?ascii$/i;

export class DatabaseReading {
  /** Whether it takes a character beyond ASCII for the one that we do. */
  #readsAsUtf8 = true;
  /** Whether it turns text of the client's into another encoding, of which what is encrypted knows nothing. */
  #converts = false;
  /** Its major version; until it is known, older than any. */
  #major = 0;

  /** @throws SessionError 22023 it reads statements as nobody judges them */
  take(name: string, value: string): void {
    requireSafeSetting(name, value);
    if (name === 'client_encoding') {
      this.#readsAsUtf8 = readsAsUtf8(value);
      this.#converts = !this.#readsAsUtf8 && !SQL_ASCII.test(value);
    }
    if (name === 'server_version') this.#major = Number.parseInt(value, 10) || 0;
  }

  /** @param sql as latin1 @throws Refusal */
  requireSameCharacters(sql: string): void {
    if (this.#readsAsUtf8 || isAscii(Buffer.from(sql, 'latin1'))) return;
    throw new Refusal('encoding', 'with this client_encoding statements must be ASCII; set client_encoding to UTF8');
  }

  /** Text is encrypted as UTF-8. @param values by parameter number @throws Refusal */
  requireSameValues({ parameters, copies }: Prepared, values: readonly (Buffer | null)[]): void {
    if (!this.#converts) return;
    for (const [number, { column }] of parameters) this.#requireAscii(column, values[number - 1]);
    for (const { of, use } of copies) this.#requireAscii(use.column, values[of - 1]);
  }

  /** The same for what was decrypted. @param rows whole DataRow messages @throws Refusal */
  requireSameRows(rows: readonly Buffer[], kindsOf: (cells: number) => readonly CellKind[]): void {
    if (!this.#converts) return;
    for (const row of rows) {
      const [cells] = DATA_ROW.decode(row.subarray(HEADER_BYTES));
      for (const [index, { column }] of kindsOf(cells.length).entries()) this.#requireAscii(column, cells[index]);
    }
  }

  #requireAscii(column: EncryptedColumn | undefined, value: Buffer | null | undefined): void {
    if (column?.dataType !== 'str' || !value || isAscii(value)) return;
    throw new Refusal(
      'encoding',
      `a value of column "${column.name}" is not ASCII, and with this client_encoding it would be another: set client_encoding to UTF8`,
    );
  }

  /** What COPY carries of protected columns is UTF-8, and the database converts the rest. @throws Refusal */
  requireCopies({ streams }: Prepared): void {
    if (this.#readsAsUtf8 || streams.every(({ content }) => content === undefined)) return;
    throw new Refusal('copy', 'COPY of protected columns must be in UTF8: set client_encoding to UTF8');
  }

  /** @throws Refusal */
  requireSameTokens({ readSince }: Plan): void {
    if (this.#major >= readSince) return;
    throw new Refusal('server-version', `a number or SYSTEM_USER means something else before PostgreSQL ${readSince}`);
  }
}
