/** Values of protected columns as clients send them, and as they are shown. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeBytea, encodeBytea } from '../../postgres/bytea.ts';
import { textOf, valueFromBinary, valueFromText } from '../../sessions/guard/column-values.ts';
import { columnOf } from '../acra/support/columns.ts';
import { fuzzer } from '../support/fuzz.ts';
import { anyBytes, hostile } from '../support/hostile-bytes.ts';
import { valueOrState } from './support/value-or-state.ts';

const parser = 'values, bytea';
const COLUMNS = (['int32', 'int64', 'str', 'bytes', undefined] as const).map((dataType) => columnOf({ dataType }));

/** As PostgreSQL writes it with bytea_output = escape. */
function escapeForm(bytes: Buffer): Buffer {
  const one = (byte: number) => {
    if (byte === 0x5c) return '\\\\';
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
  };
  return Buffer.from([...bytes].map(one).join(''));
}

const spaced = fc
  .tuple(anyBytes(8), fc.constantFrom(' ', '\n', '\t \r'))
  .map(([bytes, space]) => Buffer.from(`\\x${bytes.toString('hex').replace(/../g, `$&${space}`)}`));
const PIECES = [
  '\\',
  '\\\\',
  '\\x',
  '0',
  '3',
  '7',
  '8',
  'a',
  'F',
  'g',
  ' ',
  '\n',
  '\v',
  '\\101',
  '\\377',
  '\\400',
  '\\08',
];
const pieces = fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map((all) => Buffer.from(all.join('')));
const texts = fc.oneof(
  anyBytes(12).map((bytes) => Buffer.from(encodeBytea(bytes))),
  anyBytes(12).map(escapeForm),
  spaced,
  pieces,
  pieces.map((text) => Buffer.concat([Buffer.from('\\x'), text])),
  fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }).map((number) => Buffer.from(` ${number}\n`)),
  fc.integer().map((number) => Buffer.from(String(number))),
);

/** The hex form, in the manual's words: pairs of digits, and white space between them. */
const HEX = /^\\x(?:[ \n\t\r]*[0-9a-fA-F]{2})*[ \n\t\r]*$/;
const ESCAPE = /^(?:[^\\]|\\\\|\\[0-3][0-7]{2})*$/;

export const VALUES = [
  fuzzer({
    parser,
    name: 'reads both text forms of bytea, and nothing else',
    inputs: hostile(texts),
    holds: (text) => {
      const before = Buffer.from(text);
      const bytes = decodeBytea(text);
      const isHex = text.toString('latin1', 0, 2) === '\\x';
      assert.equal(bytes !== undefined, (isHex ? HEX : ESCAPE).test(text.toString('latin1')));
      if (!bytes) return;
      assert.ok(bytes.length <= text.length);
      for (const form of [Buffer.from(encodeBytea(bytes)), escapeForm(bytes)])
        assert.deepEqual(decodeBytea(form), bytes);
      assert.deepEqual(text, before);
    },
  }),
  fuzzer({
    parser,
    name: 'reads a value of each type, or refuses it, and reads back what it shows',
    inputs: hostile(texts, 16),
    holds: (input) => {
      for (const column of COLUMNS) {
        for (const read of [valueFromText, valueFromBinary]) {
          const value = valueOrState(() => read(column, input), /^(22P02|22003)$/);
          if (value) assert.deepEqual(valueFromText(column, textOf(column, value)), value);
        }
        assert.ok(textOf(column, input).length <= 2 * input.length + 20);
      }
    },
  }),
];
