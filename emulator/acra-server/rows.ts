/** Decrypts result rows (acra-server contract 4.3): any container in any column, typed by data_type where the column is known. */
import type { EncryptedColumn } from '../../acra/encryptor-config/schema.ts';
import { decodeBytea, encodeBytea } from '../../acra/statements/values.ts';
import { DATA_ROW, HEADER_BYTES } from '../../postgres/messages.ts';
import { SessionError } from '../../postgres/session-error.ts';
import type { Cipher } from './cipher.ts';

export interface CellKind {
  /** Undefined: not protected as far as the statement shows. */
  readonly column: EncryptedColumn | undefined;
  readonly isBinary: boolean;
}

/** How a container begins, raw and in hex; other cells of unknown columns need no closer look. */
const CONTAINER_SIGNS = ['%%%', '252525'];

/** What `response_on_fail` gives for a cell that does not decrypt, if not the ciphertext. @throws SessionError 42000 */
function substitute({ name, onFail, dataType, defaultValue = '' }: EncryptedColumn): Buffer | undefined {
  if (onFail === 'error') throw new SessionError('42000', `encoding error in column "${name}"`);
  return onFail === 'ciphertext' ? undefined : Buffer.from(defaultValue, dataType === 'str' ? 'utf8' : 'base64');
}

function revealCell(cipher: Cipher, cell: Buffer, { column, isBinary }: CellKind): Buffer {
  if (column === undefined && !CONTAINER_SIGNS.some((sign) => cell.includes(sign))) return cell;
  const stored = isBinary ? cell : decodeBytea(cell);
  if (stored === undefined) return cell;
  const { bytes, openedCount, closedCount } = cipher.reveal(stored);
  const isFailed = openedCount === 0 && (closedCount > 0 || (column?.onFail === 'error' && stored.length > 0));
  const other = isFailed && column ? substitute(column) : undefined;
  if (column?.dataType === 'str') return other ?? (isFailed ? Buffer.from(encodeBytea(stored)) : bytes);
  if (openedCount === 0 && other === undefined) return cell;
  return isBinary ? (other ?? bytes) : Buffer.from(encodeBytea(other ?? bytes));
}

/** @returns the DataRow to send on. @throws SessionError 42000 where response_on_fail is `error` */
export function revealRow(cipher: Cipher, frame: Buffer, kindsOf: (count: number) => CellKind[]): Buffer {
  const [cells] = DATA_ROW.decode(frame.subarray(HEADER_BYTES));
  const kinds = kindsOf(cells.length);
  const revealed = cells.map((cell, index) => (cell && kinds[index] ? revealCell(cipher, cell, kinds[index]) : cell));
  return revealed.every((cell, index) => cell === cells[index]) ? frame : DATA_ROW.encode(revealed);
}
