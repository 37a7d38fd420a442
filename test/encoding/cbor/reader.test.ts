import { Decoder } from 'cbor-x';
import fc from 'fast-check';
import t from 'tap';
import type { CborValue } from '../../../encoding/cbor/reader.ts';
import { readCbor } from '../../../encoding/cbor/reader.ts';
import { cborUint, writeCbor } from '../../../encoding/cbor/writer.ts';
import { FormatError } from '../../../encoding/format-error.ts';
import { hex } from '../../attestation/support/der.ts';

const REFUSED: readonly [why: string, bytes: string][] = [
  ['nothing', ''],
  ['trailing bytes', '0000'],
  ['an integer of 1 byte that fits the head', '1817'],
  ['an integer of 2 bytes that fits 1', '1900ff'],
  ['an integer of 4 bytes that fits 2', '1a0000ffff'],
  ['an integer of 8 bytes that fits 4', '1b00000000ffffffff'],
  ['an integer above 2^53-1', '1b0020000000000000'],
  ['a negative integer that is not in its shortest form', '3817'],
  ['a byte string length that is not in its shortest form', '580100'],
  ['a text length that is not in its shortest form', '780161'],
  ['an array length that is not in its shortest form', '980100'],
  ['a map length that is not in its shortest form', 'b8010000'],
  ['a reserved length', '1c'],
  ['an indefinite byte string', '5f4100ff'],
  ['an indefinite text', '7f6161ff'],
  ['an indefinite array', '9f00ff'],
  ['an indefinite map', 'bf0000ff'],
  ['a break', 'ff'],
  ['a tag', 'c000'],
  ['undefined', 'f7'],
  ['an unassigned simple value', 'e0'],
  ['a simple value in two bytes', 'f814'],
  ['a half float', 'f90000'],
  ['a float', 'fa00000000'],
  ['a double', 'fb0000000000000000'],
  ['a missing argument', '19ff'],
  ['a byte string that ends early', '4200'],
  ['a text that ends early', '6261'],
  ['an array that ends early', '8200'],
  ['a map that ends early', 'a10'.padEnd(4, '0').slice(0, 4)],
  ['a huge byte string', '5affffffff00'],
  ['a huge array', '9affffffff00'],
  ['a huge map', 'baffffffff0000'],
  ['text that is not UTF-8', '61ff'],
  ['text with an overlong form', '62c080'],
  ['a text key that is there twice', 'a2616100616101'],
  ['an integer key that is there twice', 'a200000001'],
  ['a byte string as key', 'a1410000'],
  ['an array as key', 'a18000'],
  ['null as key', 'a1f600'],
  ['a value nested too deep', '818181818100'],
];

for (const [why, bytes] of REFUSED) {
  t.test(`rejects ${why}`, (t) => {
    t.throws(() => readCbor(hex(bytes)), FormatError);
    t.end();
  });
}

t.test('reads the edges of each integer size', (t) => {
  const edges = [0, 23, 24, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER];
  t.same(
    edges.map((n) => readCbor(writeCbor(cborUint(n)))),
    edges,
  );
  t.equal(readCbor(hex('20')), -1);
  t.equal(readCbor(hex('3822')), -35);
  t.end();
});

t.test('keeps a byte-order mark in text', (t) => {
  t.equal(readCbor(hex('64efbbbf61')), '\ufeffa');
  t.end();
});

t.test('keeps integer keys apart from text keys', (t) => {
  t.same(
    [...(readCbor(hex('a2000061300a')) as Map<unknown, unknown>)],
    [
      [0, 0],
      ['0', 10],
    ],
  );
  t.end();
});

const value = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.nat(),
    fc.boolean(),
    fc.constant(null),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.array(tie('value'), { maxLength: 30 }),
    fc.array(fc.tuple(fc.oneof(fc.nat(), fc.string()), tie('value'))).map((entries) => new Map(entries)),
  ),
})).value;

t.test('reads back whatever the writer wrote', (t) => {
  fc.assert(
    fc.property(value, (written) => t.same(readCbor(writeCbor(written as never)), written)),
    { seed: 1, numRuns: 300 },
  );
  t.end();
});

t.test('reads what an independent decoder reads, or refuses', (t) => {
  const independent = new Decoder({ mapsAsObjects: false, useRecords: false });
  let accepted = 0;
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), (bytes) => {
      let read: CborValue;
      try {
        read = readCbor(Buffer.from(bytes));
      } catch (error) {
        if (error instanceof FormatError) return;
        throw error;
      }
      accepted += 1;
      t.same(read, independent.decode(Buffer.from(bytes)));
    }),
    { seed: 2, numRuns: 5000 },
  );
  t.ok(accepted > 20, `${accepted} inputs were valid`);
  t.end();
});
