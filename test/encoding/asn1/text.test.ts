/** Object identifiers and character strings of ASN.1 as text. */
import t from 'tap';
import { readAsn1 } from '../../../encoding/asn1/reader.ts';
import { expectOidText, expectText } from '../../../encoding/asn1/text.ts';
import { FormatError } from '../../../encoding/format-error.ts';
import { hex, tlv } from '../../attestation/support/der.ts';

const oid = (bytes: string) => expectOidText('type', readAsn1(tlv(0x06, hex(bytes)), 'der'));
const text = (tag: number, bytes: string) => expectText('text', readAsn1(tlv(tag, hex(bytes)), 'der'));

t.test('reads object identifiers', async (t) => {
  for (const [bytes, expected] of [
    ['550403', '2.5.4.3'],
    ['2a864886f70d010109', '1.2.840.113549.1.1.9'],
    ['00', '0.0'],
    ['27', '0.39'],
    ['28', '1.0'],
    ['4f', '1.39'],
    ['50', '2.0'],
    ['8837', '2.999'],
    ['698280808080808080808000', '2.25.2361183241434822606848'],
  ] as const) {
    t.equal(oid(bytes), expected);
  }
});

t.test('rejects object identifiers that are empty, cut short or padded', async (t) => {
  for (const bytes of ['', '5504 83', '55 8003', '80']) t.throws(() => oid(bytes), FormatError, bytes);
});

t.test('reads text of each type', async (t) => {
  t.equal(text(0x0c, 'c3a4efbbbf'), 'ä\ufeff');
  t.equal(text(0x13, '41 2a 26 27'), "A*&'");
  t.equal(text(0x16, '61407f'), 'a@\x7f');
  t.equal(text(0x12, '31 20 39'), '1 9');
  t.equal(text(0x1e, '00e4 20ac'), 'ä€');
  t.equal(text(0x0c, ''), '');
});

t.test('rejects characters that the type does not have', async (t) => {
  for (const [tag, bytes] of [
    [0x0c, 'ff'],
    [0x13, '40'],
    [0x13, '5f'],
    [0x13, '00'],
    [0x16, '80'],
    [0x12, '41'],
    [0x1e, '00'],
    [0x1e, 'd83dde00'],
  ] as const) {
    t.throws(() => text(tag, bytes), FormatError, `${tag} ${bytes}`);
  }
});

t.test('rejects types that programs read differently, and what is no text', async (t) => {
  for (const tag of [0x14, 0x1c, 0x04, 0x02]) t.throws(() => text(tag, '61'), FormatError, String(tag));
  t.throws(() => expectText('text', undefined), FormatError);
});
