import { Decoder } from 'cbor-x';
import fc from 'fast-check';
import t from 'tap';
import type { CborValue } from '../../../encoding/cbor/reader.ts';
import { readCbor } from '../../../encoding/cbor/reader.ts';
import type { CborWritable } from '../../../encoding/cbor/writer.ts';
import { writeCbor } from '../../../encoding/cbor/writer.ts';
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
  ['text that begins with a byte-order mark', '64efbbbf61'],
  ['long text that begins with a byte-order mark', `7850efbbbf${'61'.repeat(77)}`],
  ['an integer below -2^53+1', '3b001fffffffffffff'],
  ['a record of the decoder', 'd9dfff 83 19 0001 81 61 61 01'.replaceAll(' ', '')],
  ['a bignum', 'c24101'],
  ['an array whose items are missing, deep', '84838281'],
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
    edges.map((n) => readCbor(writeCbor(n))),
    edges,
  );
  t.equal(readCbor(hex('20')), -1);
  t.equal(readCbor(hex('3822')), -35);
  t.end();
});

t.test('keeps a key named __proto__ a key', (t) => {
  const read = readCbor(hex('a1 695f5f70726f746f5f5f a1 61 61 01'));
  t.same([...(read as Map<unknown, unknown>).keys()], ['__proto__']);
  t.equal(({} as Record<string, unknown>)['a'], undefined);
  t.end();
});

t.test('keeps byte strings as views of the input, and puts nothing onto the input', (t) => {
  const input = hex('43010203');
  const before = Object.getOwnPropertyNames(input).length;
  const read = readCbor(input) as Buffer;
  input[1] = 9;
  t.same([...read], [9, 2, 3]);
  t.equal(Object.getOwnPropertyNames(input).length, before);
  t.end();
});

t.test('rejects what no message can be as long as', (t) => {
  const bytes = Buffer.alloc(262_145);
  bytes.writeUInt8(0x5a, 0);
  bytes.writeUInt32BE(262_140, 1);
  t.throws(() => readCbor(bytes), FormatError);
  t.same((readCbor(Buffer.concat([hex('5a0003fffb'), Buffer.alloc(262_139)])) as Buffer).length, 262_139);
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

const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.startsWith('\ufeff'));
const integer = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.maxSafeInteger());
const value = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    integer,
    fc.boolean(),
    fc.constant(null),
    text,
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.array(tie('value'), { maxLength: 30 }),
    fc.array(fc.tuple(fc.oneof(integer, text), tie('value'))).map((entries) => new Map(entries)),
  ),
})).value;

t.test('reads back whatever the writer wrote', (t) => {
  fc.assert(
    fc.property(value, (written) => t.same(readCbor(writeCbor(written)), written)),
    { seed: 1, numRuns: 300 },
  );
  t.end();
});

t.test('refuses what is cut short, and reads a changed bit as what it then says, or not at all', (t) => {
  fc.assert(
    fc.property(value, fc.nat(), fc.nat(7), (written, at, bit) => {
      const bytes = writeCbor(written);
      const index = at % bytes.length;
      t.throws(() => readCbor(bytes.subarray(0, index)), FormatError);
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ (1 << bit);
      const read = attempt(changed);
      if (read !== undefined) t.same(writeCbor(read), changed, 'one encoding only');
    }),
    { seed: 3, numRuns: 500 },
  );
  t.end();
});

/** undefined when it is refused. */
function attempt(bytes: Buffer): CborValue | undefined {
  try {
    return readCbor(bytes);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

t.test('writes what AWS writes, byte for byte', (t) => {
  const vectors: readonly [CborWritable, string][] = [
    ['DescribeNSM', '6b44657363726962654e534d'],
    [{ ExtendPCR: { index: 16, data: hex('010203') } }, 'a169457874656e64504352a265696e64657810646461746143010203'],
    [new Map([[1, -35]]), 'a1013822'],
    [1_780_000_000_000, '1b0000019e70448800'],
    [-4_294_967_297, '3b0000000100000000'],
    [{ b: 1, a: 2 }, 'a2616201616102'],
    [[...Array(24).keys()], '9818000102030405060708090a0b0c0d0e0f1011121314151617'],
  ];
  for (const [written, bytes] of vectors) t.equal(writeCbor(written).toString('hex'), bytes);
  t.end();
});

t.test('rejects what the reader would not take back', (t) => {
  for (const written of [1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, [[[[[1]]]]], '\ufeffa', undefined]) {
    t.throws(() => writeCbor(written as CborWritable), FormatError);
  }
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
