/**
 * What the three formats of COPY have in common (PostgreSQL 18, "COPY", "File Formats"): bytes that come cut anywhere become rows of
 * cells as they stand in the data; a cell can be read, and another one written in its place, and all others stay byte for byte.
 */
import { SessionError } from '../session-error.ts';

export interface CopyItem {
  /**
   * `header`: the line with the names of the columns; `frame`: the signature, or what marks the end; `ignored`: what comes behind an
   * end, and PostgreSQL does not look at.
   */
  readonly kind: 'row' | 'header' | 'frame' | 'ignored';
  readonly head: Buffer;
  /** As they stand there, quotes, escapes and lengths included. */
  readonly cells: readonly Buffer[];
  readonly separator: Buffer;
  readonly tail: Buffer;
}

export interface CopyReader {
  /** What is complete with these bytes. @throws SessionError 22P04 as PostgreSQL, 54000 for a row that is too long */
  push(bytes: Buffer): Generator<CopyItem>;
  /** No more will come. @returns what is complete with that. @throws SessionError 22P04 */
  end(): CopyItem | undefined;
  /** Of a row that is not complete. */
  readonly heldBytes: number;
  /** What was pushed, and not yielded: also after an error. Nothing may follow. */
  rest(): Buffer;
}

/** What a cell says: a value, or what has no text. */
export type CopyCell = Buffer | 'null' | 'default';

export interface CopyFormat {
  readonly isBinary: boolean;
  reader(maxRowBytes: number): CopyReader;
  /** @param column its name, for what is forced for some columns */
  read(cell: Buffer, column?: string): CopyCell;
  /** @param like the cell in whose place it stands: where that is quoted, this is too */
  write(value: Buffer, options?: { readonly like?: Buffer; readonly isOnlyCell?: boolean }): Buffer;
  /** The same for a value that must not be taken for NULL or the default. @param spare what the value may have behind it and mean the same */
  writeApart(value: Buffer, column: string, spare: string): Buffer;
}

const EMPTY = Buffer.alloc(0);

export const frameOf = (bytes: Buffer, kind: 'frame' | 'ignored' = 'frame'): CopyItem => ({
  kind,
  head: bytes,
  cells: [],
  separator: EMPTY,
  tail: EMPTY,
});

/** The bytes of an item, with other cells where there are some. */
export function encodeItem(
  { head, cells, separator, tail }: CopyItem,
  others: readonly (Buffer | undefined)[] = [],
): Buffer {
  const parts = cells.flatMap((cell, index) => [...(index > 0 ? [separator] : []), others[index] ?? cell]);
  return Buffer.concat([head, ...parts, tail]);
}

export const badCopyData = (what: string) => new SessionError('22P04', what);

export function requireShort(rowBytes: number, maxRowBytes: number): void {
  if (rowBytes <= maxRowBytes) return;
  throw new SessionError('54000', `a row of COPY is longer than ${maxRowBytes} bytes`);
}
