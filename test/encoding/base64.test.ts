/** Base64 has one text for each value. */
import t from 'tap';
import { decodeStrictBase64 } from '../../encoding/base64.ts';
import { FormatError } from '../../encoding/format-error.ts';

const BYTES = Buffer.from([0xfb, 0xef, 0xff, 0x01]);

t.test('reads the standard alphabet, and that for URLs where both are allowed', async (t) => {
  t.same(decodeStrictBase64('it', '++//AQ==', 'standard'), BYTES);
  t.same(decodeStrictBase64('it', '++//AQ==', 'either'), BYTES);
  t.same(decodeStrictBase64('it', '--__AQ==', 'either'), BYTES);
  t.same(decodeStrictBase64('it', '', 'standard'), Buffer.alloc(0));
});

const OTHERS = {
  'no padding': '++//AQ',
  'padding that is too long': '++//AQ===',
  'bits that nobody reads': '++//AR==',
  'white space': '++//\nAQ==',
  'another character': '++//A*Q=',
  'two alphabets in one text': '-+/_AQ==',
  'text after its padding': '++//AQ==AAAA',
};

for (const [what, text] of Object.entries(OTHERS)) {
  t.test(`rejects ${what}`, async (t) => {
    t.throws(() => decodeStrictBase64('it', text, 'either'), FormatError);
  });
}

t.test('rejects the alphabet for URLs where it is not allowed', async (t) => {
  t.throws(() => decodeStrictBase64('it', '--__AQ==', 'standard'), FormatError);
});
