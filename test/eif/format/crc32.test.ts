/** CRC-32/ISO-HDLC and the joining of two. */
import fc from 'fast-check';
import t from 'tap';
import { crc32, joinCrc32 } from '../../../eif/format/crc32.ts';

t.test('keeps the check value of CRC-32/ISO-HDLC', async (t) => {
  t.equal(crc32('123456789'), 0xcbf4_3926);
});

t.test('joins the checksums of two parts to that of the whole', async () => {
  const bytes = fc.uint8Array({ maxLength: 2000 });
  fc.assert(
    fc.property(bytes, bytes, (a, b) => joinCrc32(crc32(a), crc32(b), b.length) === crc32(Buffer.concat([a, b]))),
    { seed: 1, numRuns: 1000 },
  );
});

t.test('joins parts longer than 4 GiB', async (t) => {
  const block = Buffer.alloc(1_048_576);
  let whole = crc32(block);
  let length = block.length;
  // Doubling: the CRC of zeros of twice the length is the CRC of the zeros joined to itself.
  for (; length < 2 ** 34; length *= 2) whole = joinCrc32(whole, whole, length);
  t.equal(length, 2 ** 34);
  t.equal(
    joinCrc32(joinCrc32(crc32('a'), whole, length), crc32('b'), 1),
    joinCrc32(crc32('a'), joinCrc32(whole, crc32('b'), 1), length + 1),
  );
});
