/** Text of strangers on a terminal. */
import t from 'tap';
import { harmlessJson, harmlessText, quoteStranger } from '../../runtime/harmless-text.ts';

const code = (point: number) => String.fromCharCode(point);

t.test('shows what a terminal would obey instead of passing it on', async (t) => {
  const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
  for (const point of [...range(0x00, 0x08), ...range(0x0a, 0x1f), ...range(0x7f, 0x9f)]) {
    t.equal(harmlessText(`a${code(point)}b`), `a\\x${point.toString(16).padStart(2, '0')}b`);
  }
  t.equal(harmlessText(`a${code(0x2028)}b${code(0x2029)}c`), 'a\\u2028b\\u2029c');
  for (const point of [0x200e, 0x200f, ...range(0x202a, 0x202e), ...range(0x2066, 0x2069)]) {
    t.equal(harmlessText(`a${code(point)}b`), `a\\u${point.toString(16)}b`);
  }
  t.equal(harmlessText(`${code(0x1b)}]0;title${code(0x07)}`), '\\x1b]0;title\\x07');
});

t.test('escapes the same in a line of JSON, which holds what it held', async (t) => {
  const record = { text: `a${code(0x202e)}b${code(0x9b)}31m${code(0x2028)}\n"\t${code(0x7f)}`, [code(0x200f)]: 1 };
  const line = harmlessJson(JSON.stringify(record));
  t.notMatch(line, /[^\x20-\x7e]/);
  t.same(JSON.parse(line), record);
});

t.test('keeps all other text, and tabs', async (t) => {
  const text = 'Zürich\t東京 🔒 a\\x1b';
  t.equal(harmlessText(text), text);
});

t.test('quotes a stranger in one line of bounded length', async (t) => {
  t.equal(quoteStranger(' a\n\tb\u001b ', 20), 'a b\\x1b');
  t.equal(quoteStranger('abcdef', 6), 'abcdef');
  t.equal(quoteStranger('abcdefg', 6), 'abcde…');
});
