/**
 * How the SQL scanner of acra-server 0.96.0 (made for MySQL) reads a string: a backslash escapes, in plain strings too, where
 * PostgreSQL takes it as it stands. The first backslash that an `x` follows is kept, so that bytea's hex form survives. Tried
 * out on acra-server (acra-server contract 11.7).
 */

/** Escapes that mean another character than the one that follows; all others mean that one. */
const ESCAPES: Readonly<Record<string, string>> = { 0: '\0', b: '\b', n: '\n', r: '\r', t: '\t', Z: '\x1a' };
const QUOTE = "'";

/**
 * @param token `'…'`, or `E'…'`, as it stands in the statement
 * @returns what acra-server takes it for; undefined when its string ends elsewhere, so that it reads another statement
 */
export function scanAcraString(token: string): string | undefined {
  let text = '';
  let isFirst = true;
  for (let at = token.indexOf(QUOTE) + 1; at < token.length; at += 1) {
    const [character = '', next] = [token[at], token[at + 1]];
    const isEscape = character === '\\';
    if (!isEscape && character !== QUOTE) {
      text += character;
      continue;
    }
    if (character === QUOTE && next !== QUOTE) return at === token.length - 1 ? text : undefined;
    if (next === undefined) return undefined;
    const isHexPrefix = isEscape && isFirst && /x/i.test(next);
    text += isHexPrefix ? character + next : isEscape ? (ESCAPES[next] ?? next) : QUOTE;
    isFirst = false;
    at += 1;
  }
  return undefined;
}
