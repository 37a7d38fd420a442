/**
 * The oldest PostgreSQL that reads a text as the grammar here does, which is that of 18. Where an older one reads something else, and
 * not an error, other statements would be judged than are carried out:
 *
 * - `1_000`, `0x1F`, `0o17`, `0b11` (PostgreSQL 16): up to 14 `SELECT 0x1F` gives 0 the name `x1f`.
 * - `SYSTEM_USER` (PostgreSQL 16): before, the name of a column.
 *
 * Everything else that is new since 13 is an error there. Source: PostgreSQL's release notes, scan.l and kwlist.h of 13 to 18.
 */
import type { ParsedText } from './parser.ts';

const NEW_TOKENS_MAJOR = 16;
/** May be one of these tokens: most texts have nothing like it, and need not be scanned. */
const SUSPICION = /(?<![\w$])(?:[\d.]+(?:e[+-]?\d+)?_\d|0[box])|system_user/i;
const TOKEN = /^(?:[\d.][\w.+-]*_|0[box]|system_user$)/i;

/** @returns a major version; 0: all read it so @throws BrokenParserError */
export function readSince({ sql, tokens }: ParsedText): number {
  return SUSPICION.test(sql) && tokens().some(({ text }) => TOKEN.test(text)) ? NEW_TOKENS_MAJOR : 0;
}
