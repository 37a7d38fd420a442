/** The ASN.1 writer, held against the reader, which it does not share code with. */
import fc from 'fast-check';
import t from 'tap';
import { ecdsaRawFromDer } from '../../../encoding/asn1/ecdsa-signature.ts';
import { readAsn1, TAG } from '../../../encoding/asn1/reader.ts';
import { writeDer, writeIndefinite } from '../../../encoding/asn1/writer.ts';
import { FormatError } from '../../../encoding/format-error.ts';
import { ecdsaDerFromRaw } from './support/ecdsa-der.ts';

t.test('writes the shortest length', async (t) => {
  for (const [size, head] of [
    [0, '0400'],
    [127, '047f'],
    [128, '048180'],
    [255, '0481ff'],
    [256, '04820100'],
    [65_535, '0482ffff'],
    [65_536, '0483010000'],
  ] as const) {
    const written = writeDer(TAG.octetString, Buffer.alloc(size));
    t.equal(written.subarray(0, head.length / 2).toString('hex'), head);
    t.equal(readAsn1(written, 'der').content.length, size);
  }
});

t.test('writes indefinite lengths that BER reads and DER refuses', async (t) => {
  const written = writeIndefinite(TAG.sequence, writeDer(TAG.null), writeDer(TAG.octetString, Buffer.from('a')));
  t.equal(readAsn1(written, 'ber').children.length, 2);
  t.throws(() => readAsn1(written, 'der'), FormatError);
});

t.test('reads back ECDSA signatures, and takes no second form of one', async (t) => {
  const half = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(half, half, fc.nat(), fc.nat(7), (r, s, at, bit) => {
      const raw = Buffer.concat([r, s]);
      const der = ecdsaDerFromRaw(raw);
      t.same(ecdsaRawFromDer(der, 64), raw);
      const changed = Buffer.from(der);
      const index = at % der.length;
      changed[index] = (changed[index] ?? 0) ^ (1 << bit);
      const read = ecdsaRawFromDer(changed, 64);
      if (read !== undefined) t.same(ecdsaDerFromRaw(read), changed);
      t.equal(ecdsaRawFromDer(der.subarray(0, index), 64), undefined);
    }),
    { seed: 11, numRuns: 300 },
  );
});
