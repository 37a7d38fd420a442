/** Base64 from Buffer to Buffer: as Node writes it, and nothing else is read. */
import fc from 'fast-check';
import t from 'tap';
import { decodeBase64, encodeBase64 } from '../../runtime/base64.ts';

const decode = (text: string) => decodeBase64(Buffer.from(text, 'latin1'))?.toString('hex');

t.test('writes what Node writes, and reads it back', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (input) => {
      const bytes = Buffer.from(input);
      const text = encodeBase64(bytes);
      return text.toString() === bytes.toString('base64') && (decodeBase64(text)?.equals(bytes) ?? false);
    }),
    { seed: 1, numRuns: 300 },
  );
  t.equal(decode('+/+/'), 'fbffbf');
});

t.test('reads nothing but the one text of some bytes', async () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[AQgw+/=\n-]{0,12}$/), (text) => {
      const bytes = decodeBase64(Buffer.from(text));
      return bytes === undefined || bytes.toString('base64') === text;
    }),
    { seed: 2, numRuns: 1000 },
  );
});

const REFUSED = [
  'A',
  'AA',
  'AAA',
  'AA=',
  'A===',
  '====',
  '=AAA',
  'AA=A',
  'AB==',
  'AAB=',
  'AA==AA==',
  ' AAA',
  'AAA\n',
  'AAA-',
  'AA_=',
  'AAA\u00c1',
];
for (const text of REFUSED) {
  t.test(`rejects ${JSON.stringify(text)}`, async (t) => {
    t.equal(decode(text), undefined);
  });
}
