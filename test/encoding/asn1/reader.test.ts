import fc from 'fast-check';
import t from 'tap';
import { readAsn1 } from '../../../encoding/asn1/reader.ts';
import { expectMembers, expectOctets, expectSmallInteger } from '../../../encoding/asn1/shape.ts';
import { FormatError } from '../../../encoding/format-error.ts';
import { hex, open, tlv } from '../../attestation/support/der.ts';

const REFUSED_ALWAYS: readonly [why: string, bytes: string][] = [
  ['nothing', ''],
  ['a tag alone', '04'],
  ['trailing bytes', '040000'],
  ['a content that ends early', '0402aa'],
  ['a member that is longer than its parent', '3003 0402aa bb'],
  ['a length that is not in its shortest form', '048101aa'],
  ['a length with a leading zero', `04820080${'aa'.repeat(128)}`],
  ['a length of four bytes', '048401000000'],
  ['a reserved length', '04ff'],
  ['an indefinite length on a primitive value', '04800000'],
  ['an end mark out of place', '30020000'],
  ['a tag above 30', '1f2001aa'],
];

const REFUSED_IN_DER: readonly [why: string, bytes: string][] = [['an indefinite length', '30800000']];

const REFUSED_IN_BER: readonly [why: string, bytes: string][] = [
  ['an indefinite length without end', '3080'],
  ['half an end mark', '308000'],
  ['an end mark with a length', '30800001aa'],
  ['an indefinite length that runs out of its parent', '3002 3080 0000'],
  ['nesting beyond what the formats need', '3080'.repeat(12) + '0000'.repeat(12)],
];

for (const [rules, table] of [
  ['der', [...REFUSED_ALWAYS, ...REFUSED_IN_DER]],
  ['ber', [...REFUSED_ALWAYS, ...REFUSED_IN_BER]],
] as const) {
  for (const [why, bytes] of table) {
    t.test(`rejects ${why} in ${rules.toUpperCase()}`, (t) => {
      t.throws(() => readAsn1(hex(bytes), rules), FormatError);
      t.end();
    });
  }
}

t.test('reads definite and indefinite lengths alike in BER', (t) => {
  const inner = tlv(0x04, hex('aabb'));
  for (const bytes of [tlv(0x30, inner, inner), open(0x30, inner, inner)]) {
    const [first, second] = expectMembers('list', readAsn1(bytes, 'ber'), 0x30, 2);
    t.same(expectOctets('first', first, 2), hex('aabb'));
    t.same(second?.raw, inner);
  }
  t.end();
});

t.test('keeps lengths of every size apart', (t) => {
  for (const size of [0, 127, 128, 255, 256, 65535]) {
    const content = Buffer.alloc(size, 1);
    t.same(readAsn1(tlv(0x04, content), 'der').content, content);
  }
  t.end();
});

t.test('reads small integers in their shortest form only', (t) => {
  t.equal(expectSmallInteger('n', readAsn1(hex('020100'), 'der')), 0);
  t.equal(expectSmallInteger('n', readAsn1(hex('02020080'), 'der')), 128);
  t.equal(expectSmallInteger('n', readAsn1(hex('02047fffffff'), 'der')), 2 ** 31 - 1);
  for (const bytes of ['0200', '0201ff', '0202007f', '02050100000000', '0401' + '00']) {
    t.throws(() => expectSmallInteger('n', readAsn1(hex(bytes), 'der')), FormatError, bytes);
  }
  t.end();
});

t.test('refuses arbitrary bytes with FormatError only', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom('ber', 'der'), (bytes, rules) => {
      try {
        readAsn1(Buffer.from(bytes), rules);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }),
    { seed: 3, numRuns: 5000 },
  );
  t.end();
});
