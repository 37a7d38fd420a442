/** Containers are found wherever they stand in a cell, and nothing else is, in time. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { encodeAcraBlock, encodeContainer } from '../../acra/container.ts';
import { containersIn } from '../../acra/container-search.ts';
import { themis } from '../../acra/keystore/themis.ts';
import { systemRandom } from '../../runtime/random.ts';

const block = encodeAcraBlock(themis, randomBytes(32), Buffer.from('v'), systemRandom);
const container = encodeContainer('acrablock', block);
const struct = Buffer.concat([Buffer.alloc(8, 0x22), Buffer.alloc(45 + 84, 7), Buffer.alloc(8), Buffer.alloc(60, 9)]);
struct.writeBigUInt64LE(60n, 8 + 45 + 84);

const hex = (bytes: Buffer) => Buffer.from(`\\x${bytes.toString('hex')}`);
/** As PostgreSQL does with bytea_output = escape. */
const escaped = (bytes: Buffer) =>
  Buffer.from(
    [...bytes]
      .map((byte) => {
        if (byte === 0x5c) return '\\\\';
        const isPlain = byte >= 0x20 && byte <= 0x7e;
        return isPlain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
      })
      .join(''),
  );
const found = (cell: Buffer) => [...containersIn(cell)].map((each) => each.toString('hex'));
const expected = (...all: readonly Buffer[]) => all.map((each) => each.toString('hex'));

t.test('finds what is a container, an AcraBlock or an AcraStruct as a whole, in every form', (t) => {
  for (const form of [(bytes: Buffer) => bytes, hex, escaped]) {
    for (const whole of [container, block, encodeContainer('acrastruct', struct)])
      t.same(found(form(whole)), expected(whole), `${form.name}, ${whole.length} bytes`);
  }
  for (const form of [(bytes: Buffer) => bytes, hex]) t.same(found(form(struct)), expected(struct));
  t.end();
});

t.test('finds containers behind a search hash, beside one another, in arrays, JSON and lines of COPY', (t) => {
  const searchable = Buffer.concat([Buffer.of(0x7f), Buffer.alloc(32, 0x25), container]);
  const two = Buffer.concat([Buffer.from('%%%"'), container, Buffer.from('%'), container]);
  for (const form of [(bytes: Buffer) => bytes, hex, escaped]) {
    t.same(found(form(searchable)), expected(container), form.name);
    t.same(found(form(two)), expected(container, container), form.name);
  }
  const text = container.toString('hex');
  t.same(found(Buffer.from(`{"\\\\x${text}",NULL,"\\\\x7f${text}"}`)), expected(container, container));
  t.same(found(Buffer.from(`{"a": "25252522222222", "b": "\\\\x${text}"}`)), expected(container));
  t.same(found(Buffer.from(`17\t\\\\x${text}\t\\N\n`)), expected(container));
  t.end();
});

t.test('finds nothing in what only begins like one', (t) => {
  for (const whole of [container, block, struct]) {
    for (const form of [(bytes: Buffer) => bytes, hex, escaped]) {
      t.same(found(form(whole.subarray(0, -1))), [], 'cut off');
      t.same(
        found(form(Buffer.concat([whole.subarray(0, 5), Buffer.of(1), whole.subarray(6)]))),
        [],
        'of another length',
      );
    }
  }
  t.same(found(Buffer.from(container.toString('hex'))), [], 'hex digits that are no bytea');
  t.same(found(Buffer.alloc(0)), []);
  t.end();
});

t.test('finds a container behind and before any bytes, and never throws', (t) => {
  const bytes = fc.uint8Array({ maxLength: 60 }).map((each) => Buffer.from(each));
  const looksLike = fc
    .constantFrom('%%%', '""""', '\\x252525', '\\000\\000\\000\\000', '%%%\\000', '\\')
    .map(Buffer.from);
  const junk = fc.array(fc.oneof(bytes, looksLike), { maxLength: 6 }).map((parts) => Buffer.concat(parts));
  fc.assert(
    fc.property(junk, junk, (before, behind) => {
      t.ok(found(Buffer.concat([before, container, behind])).includes(container.toString('hex')));
      found(Buffer.concat([before, behind, container.subarray(0, 30), behind]));
    }),
    { numRuns: 300 },
  );
  t.end();
});

t.test('takes time in proportion to the length of hostile bytes', { timeout: 30_000 }, (t) => {
  const MIB = 1024 * 1024;
  const large = Buffer.from(container);
  large.writeBigUInt64LE(BigInt(MIB / 2), 3);
  const head = large.subarray(0, 40);
  for (const pattern of ['%', '"', '\\000', '%%%\\000', '25', head, hex(head), head.toString('hex'), escaped(head)]) {
    const cell = Buffer.alloc(4 * MIB, pattern);
    cell.write('\\x');
    cell.write('z', cell.length - 3);
    found(cell);
  }
  t.pass('within the time of this test: quadratic, one of them would take minutes');
  t.end();
});
