/**
 * Settings that change how a database reads statements, so that one who judges them would judge other statements. They are
 * refused before they take effect: in the start-up packet, in statements, and when a database reports them.
 *
 * - `standard_conforming_strings` off: a backslash in a plain literal escapes.
 * - `client_encoding`: in the encodings that PostgreSQL has for clients alone (SJIS, BIG5, GBK, …) a byte of a character may be a
 *   quote or a backslash. Of the others UTF-8 passes, and all of which a character is one byte: they differ from UTF-8 in the
 *   characters beyond ASCII only, see readsAsUtf8. EUC_* and MULE_INTERNAL have multi-byte characters of their own.
 * - `replication`: another language is spoken.
 *
 * `backslash_quote` says where `\'` in an E literal is an error, never that it means something else; `escape_string_warning` warns.
 * Source: PostgreSQL 18, "Client Connection Defaults", parse_bool in src/backend/utils/adt/bool.c, pg_char_to_encoding in
 * src/common/encnames.c, find_option in src/backend/utils/misc/guc.c, scan.l for backslash_quote.
 */
import { SessionError } from './session-error.ts';
import type { StartupMessage } from './startup-message.ts';
import { settingsInOptions } from './startup-options.ts';

/** Any prefix counts that no other word has. */
const BOOLEANS: readonly { readonly word: string; readonly minLength: number; readonly isTrue: boolean }[] = [
  { word: 'true', minLength: 1, isTrue: true },
  { word: 'false', minLength: 1, isTrue: false },
  { word: 'yes', minLength: 1, isTrue: true },
  { word: 'no', minLength: 1, isTrue: false },
  { word: 'on', minLength: 2, isTrue: true },
  { word: 'off', minLength: 2, isTrue: false },
  { word: '1', minLength: 1, isTrue: true },
  { word: '0', minLength: 1, isTrue: false },
];

function parseBoolean(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  return BOOLEANS.find(({ word, minLength }) => lower.length >= minLength && word.startsWith(lower))?.isTrue;
}

const SINGLE_BYTE_ENCODINGS =
  /^(?:latin(?:[1-9]|10)|iso8859(?:[1-9]|1[03-6])|koi8[ru]?|(?:win|windows)(?:125[0-8]|866|874)|win|alt|abc|tcvn(?:5712)?|vscii)$/;

/** PostgreSQL leaves out all but letters and digits; whether it does so beyond ASCII depends on a locale. */
function plainEncodingName(name: string): string {
  return /^[\0-\x7f]*$/.test(name) ? name.replace(/[^0-9A-Za-z]/g, '').toLowerCase() : '';
}

/**
 * Whether a database that was told this `client_encoding` takes every character for the one that a reader of UTF-8 does.
 * Where not, only statements in ASCII are certain: a byte beyond it may belong to another name.
 */
export function readsAsUtf8(clientEncoding: string): boolean {
  return /^(?:utf8|unicode)$/.test(plainEncodingName(clientEncoding));
}

function checkStrings(value: string): void {
  if (parseBoolean(value) === true) return;
  const advice = "leave it on, and write E'…' for a literal with escapes";
  throw new SessionError(
    '22023',
    `standard_conforming_strings must be on here, since statements are read so; ${advice}`,
  );
}

function checkEncoding(value: string): void {
  const name = plainEncodingName(value);
  if (readsAsUtf8(value) || name === 'sqlascii' || SINGLE_BYTE_ENCODINGS.test(name)) return;
  const allowed = 'UTF8, SQL_ASCII and encodings of one byte a character are allowed; set client_encoding to UTF8';
  throw new SessionError(
    '22023',
    `client_encoding "${name.slice(0, 63)}" would change how statements are read; ${allowed}`,
  );
}

const CHECKS: ReadonlyMap<string, (value: string) => void> = new Map([
  ['standard_conforming_strings', checkStrings],
  ['client_encoding', checkEncoding],
]);

/** Whether it changes how statements are read. @param name in any case, as PostgreSQL takes it */
export const isReadingSetting = (name: string) => CHECKS.has(name.toLowerCase());

/**
 * @param name in any case, as PostgreSQL takes it
 * @throws SessionError 22023 the setting would change how statements are read
 */
export function requireSafeSetting(name: string, value: string): void {
  CHECKS.get(name.toLowerCase())?.(value);
}

/** @throws SessionError 22023 it asks for replication, or for a setting that changes how statements are read, or unclearly */
export function requireSafeStartup({ parameters }: StartupMessage): void {
  const replication = parameters.get('replication');
  if (replication !== undefined && parseBoolean(replication) !== false) {
    throw new SessionError('22023', 'replication is not served here: connect to the database without the proxy for it');
  }
  for (const [name, value] of parameters) requireSafeSetting(name, value);
  for (const { name, value } of settingsInOptions(parameters.get('options') ?? '')) requireSafeSetting(name, value);
}
