/**
 * JSON with so many values at most, counted before it is parsed: names that nobody knows cost JSON.parse and schemas a hundred times what as
 * many bytes of base64 cost, on the thread that also ends the lease of the keys. For what the parent sends in megabytes.
 * Specification: RFC 8259 section 2 (each value but the first of its object or array follows a comma).
 */
import { RuntimeError } from './runtime-errors.ts';

const [COMMA, OPEN_ARRAY, OPEN_OBJECT] = [0x2c, 0x5b, 0x7b];

/** Also those in strings: whoever sets the bound leaves room for them. */
function hasMore(bytes: Buffer, byte: number, max: number): boolean {
  let count = 0;
  for (let at = bytes.indexOf(byte); at !== -1; at = bytes.indexOf(byte, at + 1)) {
    count += 1;
    if (count > max) return true;
  }
  return false;
}

/** @param maxValues commas, and beginnings of objects and of arrays, each. @throws RuntimeError RUNTIME_JSON_EXCESSIVE; SyntaxError as JSON.parse does */
export function parseBoundedJson(bytes: Buffer, maxValues: number): unknown {
  if ([COMMA, OPEN_ARRAY, OPEN_OBJECT].some((byte) => hasMore(bytes, byte, maxValues))) {
    throw new RuntimeError('RUNTIME_JSON_EXCESSIVE', `the JSON has more than ${maxValues} values`);
  }
  return JSON.parse(bytes.toString('utf8'));
}
