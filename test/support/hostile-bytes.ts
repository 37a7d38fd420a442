/**
 * Inputs for parsers: any bytes, and valid ones to which something was done, since any bytes alone are refused by the first check. And
 * the ways in which a stream may bring them.
 */
import fc from 'fast-check';

/** What lengths and counts are compared with, and where their signs and widths end. */
const NUMBERS = [
  0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x3fff_ffff, 0x4000_0000,
  0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff,
];
const WIDTHS = [1, 2, 4] as const;
const KINDS = ['flip', 'set', 'cut', 'remove', 'insert', 'repeat', 'number', 'nudge'] as const;
const edit = fc.record({
  kind: fc.constantFrom(...KINDS),
  at: fc.nat(),
  other: fc.nat(),
  number: fc.constantFrom(...NUMBERS),
  noise: fc.uint8Array({ maxLength: 4 }),
});
type Edit = typeof edit extends fc.Arbitrary<infer Value> ? Value : never;

function spliced(bytes: Buffer, from: number, to: number, between: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, from), between, bytes.subarray(to)]);
}

/** The number that stands there, or `number` in its place. */
function renumbered(bytes: Buffer, at: number, width: number, change: (found: number) => number): Buffer {
  if (bytes.length < width) return bytes;
  const copy = Buffer.from(bytes);
  const from = Math.min(at, bytes.length - width);
  const modulus = 2 ** (8 * width);
  copy.writeUIntBE((((change(copy.readUIntBE(from, width)) % modulus) + modulus) % modulus) >>> 0, from, width);
  return copy;
}

function edited(bytes: Buffer, { kind, at, other, number, noise }: Edit): Buffer {
  const from = at % (bytes.length + 1);
  const to = Math.min(bytes.length, from + 1 + (other % 24));
  const width = WIDTHS[other % WIDTHS.length] ?? 4;
  switch (kind) {
    case 'flip':
      return renumbered(bytes, from, 1, (found) => found ^ (1 << (other % 8)));
    case 'set':
      return renumbered(bytes, from, 1, () => other % 256);
    case 'cut':
      return bytes.subarray(0, from);
    case 'remove':
      return spliced(bytes, from, to, Buffer.alloc(0));
    case 'insert':
      return spliced(bytes, from, from, noise);
    case 'repeat':
      return spliced(bytes, other % (bytes.length + 1), other % (bytes.length + 1), bytes.subarray(from, to));
    case 'number':
      return renumbered(bytes, from, width, () => number);
    case 'nudge':
      return renumbered(bytes, from, width, (found) => found + (other % 9) - 4);
  }
}

export function anyBytes(maxLength: number): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes));
}

/** As they are, or with up to three changes: bits, bytes, lengths, parts that are left out, repeated or made up, an early end. */
export function mutated(valid: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc.tuple(valid, fc.array(edit, { maxLength: 3 })).map(([bytes, edits]) => edits.reduce(edited, bytes));
}

/** Mostly nearly right. */
export function hostile(valid: fc.Arbitrary<Buffer>, maxLength = 64): fc.Arbitrary<Buffer> {
  return fc.oneof({ weight: 6, arbitrary: mutated(valid) }, { weight: 1, arbitrary: anyBytes(maxLength) });
}

/** With another number, or one that is nearly right, where a length or a count stands. */
export function misstated(valid: fc.Arbitrary<Buffer>, at: number, width: 2 | 4): fc.Arbitrary<Buffer> {
  const by = fc.integer({ min: -4, max: 4 });
  return fc
    .tuple(valid, fc.boolean(), by, fc.constantFrom(...NUMBERS))
    .map(([bytes, isNear, near, number]) =>
      bytes.length < at + width ? bytes : renumbered(bytes, at, width, (found) => (isNear ? found + near : number)),
    );
}

/** Where a stream may be cut: piecesOf. */
export const cuts = fc.array(fc.nat(), { maxLength: 4 });

export function piecesOf(bytes: Buffer, cutsAt: readonly number[]): Buffer[] {
  const ends = [...cutsAt.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

/** An unsigned number, big-endian. */
export function uint(value: number, width: number): Buffer {
  const bytes = Buffer.alloc(width);
  bytes.writeUIntBE(value, 0, width);
  return bytes;
}
