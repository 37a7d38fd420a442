/**
 * JSON in which no object names a member twice. JSON.parse takes the last of them, other readers take the first, and people see what an
 * attacker wants them to see; so whoever decides by a file refuses it. Specification: RFC 8259 section 4 (names should be unique), RFC
 * 7493 section 2.3 (must be).
 */
import { FormatError } from './format-error.ts';

/** Of text that is JSON: its strings, and what stands between values. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]/g;

/** @throws SyntaxError as JSON.parse does; FormatError where a member is named twice, by escapes too */
export function parseUniqueJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  /** Around the token, the innermost last: the names of an object so far; undefined for an array. */
  const around: (Set<string> | undefined)[] = [];
  let before = '';
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const names = around.at(-1);
    if (token === '{') around.push(new Set());
    else if (token === '[') around.push(undefined);
    else if (token === '}' || token === ']') around.pop();
    else if (names && token !== ',' && (before === '{' || before === ',')) addName(names, token, index);
    before = token;
  }
  return value;
}

function addName(names: Set<string>, token: string, index: number): void {
  const name: string = JSON.parse(token);
  if (names.has(name)) throw new FormatError(`the member ${token.slice(0, 100)} is named twice`, index);
  names.add(name);
}
