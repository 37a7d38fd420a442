/**
 * The options of COPY as far as they say how its data are read and written (PostgreSQL 18, "COPY"; ProcessCopyOptions in
 * src/backend/commands/copy.c). Plain data: it may come from another thread.
 */
import { SessionError } from '../session-error.ts';

/** Of columns by name, as PostgreSQL stores them. */
export type CopyColumns = 'all' | readonly string[];

export interface CopyOptions {
  readonly format: 'text' | 'csv' | 'binary';
  /** One ASCII character, as are `quote` and `escape`. */
  readonly delimiter: string;
  readonly quote: string;
  readonly escape: string;
  /** What stands for NULL. */
  readonly nullText: string;
  /** What stands for the column's default; undefined: nothing does. */
  readonly defaultText: string | undefined;
  /** `match`: its names must be those of the columns. */
  readonly header: 'none' | 'skip' | 'match';
  /** Read as a text, though it stands for NULL. */
  readonly forceNotNull: CopyColumns;
  /** Read as NULL, though it is quoted. */
  readonly forceNull: CopyColumns;
}

const DEFAULTS = {
  text: { delimiter: '\t', nullText: '\\N' },
  csv: { delimiter: ',', nullText: '' },
  binary: { delimiter: '\t', nullText: '' },
} as const;
/** Delimiters that would be taken for the rest of an escape. */
const UNSAFE_IN_TEXT = /[\\.a-z0-9]/;

const LINE_BREAK = /[\r\n]/;

const isOneByte = (text: string) => text.length === 1 && text > '\0' && text < '\x80' && !LINE_BREAK.test(text);

function require(isMet: boolean, what: string): void {
  if (!isMet) throw new SessionError('22023', `${what} of COPY cannot be what it is`);
}

/** @throws SessionError 22023 for what PostgreSQL refuses, too */
export function copyOptions(given: Partial<CopyOptions>): CopyOptions {
  const { format = 'text', quote = '"' } = given;
  const options: CopyOptions = {
    ...DEFAULTS[format],
    quote,
    escape: quote,
    defaultText: undefined,
    header: 'none',
    forceNotNull: [],
    forceNull: [],
    ...given,
    format,
  };
  if (format === 'binary') return options;
  requireApart(options);
  return options;
}

function requireApart({ format, delimiter, quote, escape: escaping, nullText, defaultText = '' }: CopyOptions): void {
  const isCsv = format === 'csv';
  const markers = [nullText, defaultText];
  require(isOneByte(delimiter) && (isCsv || !UNSAFE_IN_TEXT.test(delimiter)), 'the delimiter');
  require(!markers.some((marker) => LINE_BREAK.test(marker) || marker.includes(delimiter)), 'NULL or DEFAULT');
  if (!isCsv) return;
  require(isOneByte(quote) && quote !== delimiter, 'the quote');
  require(isOneByte(escaping), 'the escape');
  require(!markers.some((marker) => marker.includes(quote)), 'NULL or DEFAULT');
}

export const isAmong = (columns: CopyColumns, name: string) => columns === 'all' || columns.includes(name);
