/** One member, one value: for everybody who reads the file. */
import t from 'tap';
import { FormatError } from '../../encoding/format-error.ts';
import { parseUniqueJson } from '../../encoding/unique-json.ts';

for (const text of [
  '{"a":1,"a":1}',
  '{"a":1,"b":{},"a":2}',
  '[{"a":{"x":1,"y":[{}],"x":2}}]',
  '{"PCR0":1,"\\u0050CR0":2}',
  '{"":1,"":2}',
  '{"__proto__":1,"__proto__":2}',
  '{ "a" : "b,{" , "a" : 1 }',
]) {
  t.test(`rejects ${text}`, async (t) => {
    t.throws(() => parseUniqueJson(text), FormatError);
  });
}

for (const text of [
  '{"a":"a","b":["a","a",{"a":1}],"c":{"a":{"a":"a"}}}',
  '[{"a":1},{"a":1}]',
  '{"a":"\\"a\\":1,","A":{"\\\\":"\\\\"}}',
  '"a"',
  'null',
]) {
  t.test(`reads ${text} as JSON.parse does`, async (t) => {
    t.same(parseUniqueJson(text), JSON.parse(text));
  });
}

t.test('reads long texts', async (t) => {
  const value = { a: '\\"{,'.repeat(300_000), b: 'x'.repeat(1_000_000) };
  t.same(parseUniqueJson(JSON.stringify(value)), value);
});

t.test('rejects what is no JSON as JSON.parse does', async (t) => {
  t.throws(() => parseUniqueJson('{"a":1,}'), SyntaxError);
});
