/** What is too much is refused before it is parsed: the texts here are no JSON, and nobody notices. */
import t from 'tap';
import { parseBoundedJson } from '../../runtime/bounded-json.ts';

const TOO_MANY: Readonly<Record<string, string>> = {
  members: `{${'"x":0,'.repeat(11)}`,
  elements: `[${'0,'.repeat(11)}`,
  'arrays in arrays': '['.repeat(11),
  'objects in objects': '{"a":'.repeat(11),
};
for (const [what, text] of Object.entries(TOO_MANY)) {
  t.test(`rejects too many ${what} without parsing them`, async (t) => {
    t.throws(() => parseBoundedJson(Buffer.from(text), 10), { code: 'RUNTIME_JSON_EXCESSIVE' });
    t.throws(() => parseBoundedJson(Buffer.from(text), 11), SyntaxError);
  });
}

t.test('reads as much as is allowed as JSON.parse does', async (t) => {
  for (const value of [[0, 1, 2, 3], { a: [{}], b: { c: [1] } }, 'ü', null]) {
    t.same(parseBoundedJson(Buffer.from(JSON.stringify(value)), 3), value);
  }
});
