/** Long cells are parted from what the library reads, however the bytes come. */
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { type CellSink, LONG, LongCells } from '../../../cli/data/long-cells.ts';
import { DATA_ROW, encodeMessage } from '../../../postgres/messages.ts';
import { sqlStateOf } from '../../emulator/acra-server/support/sql-state.ts';

const SEED = 12;
const cell = (bytes: number, filling: number) => Buffer.alloc(bytes, filling);

/** What came, cell by cell. */
class Kept implements CellSink {
  readonly cells: Buffer[] = [];
  begin(bytes: number): void {
    this.cells.push(Buffer.alloc(0));
    this.lengths.push(bytes);
  }
  readonly lengths: number[] = [];
  take(chunk: Buffer): void {
    this.cells.push(Buffer.concat([this.cells.pop() ?? Buffer.alloc(0), chunk]));
  }
}

/** @param sizes of the chunks, over and over */
function read(cells: LongCells, bytes: Buffer, sizes: readonly number[]): Buffer {
  const parts: Buffer[] = [];
  for (let [at, turn] = [0, 0]; at < bytes.length; turn += 1) {
    const end = at + (sizes[turn % sizes.length] ?? bytes.length);
    for (const part of cells.take(Buffer.from(bytes.subarray(at, end)))) parts.push(Buffer.from(part));
    at = end;
  }
  return Buffer.concat(parts);
}

const chunkSizes = fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 9 });

function inAnyChunks(t: Test, bytes: Buffer, told: Buffer): void {
  const property = fc.property(chunkSizes, (sizes) => read(new LongCells(), bytes, sizes).equals(told));
  t.doesNotThrow(() => fc.assert(property, { seed: SEED, numRuns: 50 }));
}

const SHORT = [DATA_ROW.encode([cell(5, 1), null, cell(0, 0)]), encodeMessage('C', Buffer.from('SELECT 1\0'))];
const AROUND = [encodeMessage('1'), encodeMessage('S', Buffer.alloc(300_000))];

t.test('leaves everything but long rows to the library as it comes', async (t) => {
  const bytes = Buffer.concat([...SHORT, ...AROUND, DATA_ROW.encode([cell(200_000, 7)]), ...SHORT]);
  inAnyChunks(t, bytes, bytes);
  t.ok(read(new LongCells(), Buffer.concat(SHORT), [1]).equals(Buffer.concat(SHORT)), 'byte by byte');
});

t.test('tells the library of a long row which of its cells are long', async (t) => {
  const row = DATA_ROW.encode([cell(3, 1), null, cell(300_000, 2), cell(0, 0), cell(8_192, 3), cell(8_193, 4)]);
  const told = DATA_ROW.encode([cell(3, 1), null, Buffer.from(LONG), cell(0, 0), cell(8_192, 3), Buffer.from(LONG)]);
  inAnyChunks(t, Buffer.concat([...SHORT, row, ...SHORT]), Buffer.concat([...SHORT, told, ...SHORT]));
});

t.test('hands every cell over while it is asked to, short or long', async (t) => {
  for (const sizes of [[1], [7, 2], [100_000]]) {
    const [cells, sink] = [new LongCells(), new Kept()];
    cells.sendTo(sink);
    const rows = [DATA_ROW.encode([cell(0, 0)]), DATA_ROW.encode([null]), DATA_ROW.encode([cell(300, 5)])];
    const told = [[Buffer.from(LONG)], [null], [Buffer.from(LONG)]].map((each) => DATA_ROW.encode(each));
    t.ok(read(cells, Buffer.concat(rows), sizes).equals(Buffer.concat(told)));
    t.same(sink.cells, [cell(0, 0), cell(300, 5)]);
    t.same(sink.lengths, [0, 300]);
    cells.sendTo(undefined);
    t.ok(read(cells, Buffer.concat(SHORT), sizes).equals(Buffer.concat(SHORT)));
  }
});

t.test('rejects a row that is none (08P01)', async (t) => {
  const whole = DATA_ROW.encode([cell(300_000, 1), cell(9, 2)]);
  const broken = [
    Buffer.from(whole).fill(1, 5, 7),
    Buffer.from(whole).fill(0, 5, 7),
    Buffer.from(whole).fill(0x7f, 7, 8),
    encodeMessage('D', Buffer.alloc(300_000, 0xff)),
  ];
  for (const bytes of broken)
    t.equal(
      sqlStateOf(() => read(new LongCells(), bytes, [4_000])),
      '08P01',
    );
});

t.test('rejects a row that is shorter than its own length (08P01)', async (t) => {
  for (const length of [0, 1, 3]) {
    const [cells, bytes] = [new LongCells(), DATA_ROW.encode([])];
    bytes.writeUInt32BE(length, 1);
    cells.sendTo(new Kept());
    t.equal(
      sqlStateOf(() => read(cells, bytes, [5, 1])),
      '08P01',
    );
  }
});
