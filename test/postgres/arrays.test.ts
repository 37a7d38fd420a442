/** Arrays as parameters have them, read as PostgreSQL itself does. */
import fc from 'fast-check';
import t from 'tap';
import { arrayBinary, arrayFromBinary, arrayFromText, arrayText } from '../../postgres/arrays.ts';
import { OIDS } from '../../postgres/messages.ts';
import { SessionError } from '../../postgres/session-error.ts';
import { sqlStateOf } from '../emulator/acra-server/support/sql-state.ts';

const read = (text: string) => arrayFromText(Buffer.from(text)).map((element) => element?.toString() ?? null);

const READ: Readonly<Record<string, readonly (string | null)[]>> = {
  '{}': [],
  ' { } ': [],
  '{a,b}': ['a', 'b'],
  '{ a , b c }': ['a', 'b c'],
  '{"a,b","{c}","d\\"e","f\\\\g",""}': ['a,b', '{c}', 'd"e', 'f\\g', ''],
  '{NULL,null,"NULL",nul}': [null, null, 'NULL', 'nul'],
  '{a\\,b}': ['a,b'],
  '{"ü — 漢字 🙂"}': ['ü — 漢字 🙂'],
};

for (const [text, elements] of Object.entries(READ)) {
  t.test(`reads ${text}`, async (t) => t.same(read(text), elements));
}

for (const text of [
  '',
  'a',
  '{',
  '{a',
  '{a}}',
  '{a}b',
  '{{a}}',
  '{a,}',
  '{,a}',
  '{"a"b}',
  '{a"b"}',
  '[1:1]={a}',
  '{"a}',
  '{a\\',
]) {
  t.test(`rejects ${JSON.stringify(text)} (22P02)`, async (t) =>
    t.equal(
      sqlStateOf(() => read(text)),
      '22P02',
    ),
  );
}

t.test('reads elements as long as a message may be', async (t) => {
  const [long, escaped] = ['x'.repeat(2 ** 24), '\\"'.repeat(2 ** 22)];
  const elements = read(`{"${long}",${long},"${escaped}", ${escaped} }`);
  t.ok(elements[0] === long && elements[1] === long);
  t.ok(elements[2] === '"'.repeat(2 ** 22) && elements[3] === elements[2]);
});

t.test('reads back in binary what it writes', async (t) => {
  const elements = fc.array(fc.option(fc.uint8Array().map((bytes) => Buffer.from(bytes))));
  fc.assert(
    fc.property(elements, (each) => t.same(arrayFromBinary(arrayBinary(each, OIDS.bytea)), each) || true),
    { seed: 11, numRuns: 200 },
  );
});

t.test('reads back in text what it writes as text', async (t) => {
  const elements = ['\\x612262', null, 'NULL', 'a"b\\c', ''];
  t.equal(arrayText(elements), '{"\\\\x612262",NULL,"NULL","a\\"b\\\\c",""}');
  t.same(read(arrayText(elements)), elements);
});

t.test('rejects any other bytes with that error alone (22P02)', async () => {
  const only = (read: (bytes: Buffer) => unknown) => (bytes: Uint8Array) => {
    try {
      read(Buffer.from(bytes));
    } catch (error) {
      if (!(error instanceof SessionError && error.sqlState === '22P02')) throw error;
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), only(arrayFromBinary)), { seed: 12, numRuns: 2_000 });
  const texts = fc.string({ unit: fc.constantFrom(...'{}",\\ aN'), maxLength: 30 }).map((text) => Buffer.from(text));
  fc.assert(fc.property(texts, only(arrayFromText)), { seed: 13, numRuns: 2_000 });
});
