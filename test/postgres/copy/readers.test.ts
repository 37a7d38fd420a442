/** Rows of COPY that are long, broken or not at their end; and options that nothing can be read by. */
import t from 'tap';
import { Accumulator } from '../../../postgres/copy/accumulator.ts';
import type { CopyReader } from '../../../postgres/copy/format.ts';
import { openFormat } from '../../../postgres/copy/open-format.ts';
import { type CopyOptions, copyOptions } from '../../../postgres/copy/options.ts';
import { SessionError } from '../../../postgres/session-error.ts';

const readerOf = (options: Partial<CopyOptions>, maxRowBytes = 100) =>
  openFormat(copyOptions(options)).reader(maxRowBytes);

function stateOf(run: () => unknown): string {
  try {
    run();
    return 'none';
  } catch (error) {
    return error instanceof SessionError ? error.sqlState : String(error);
  }
}

const HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const FORMATS = { text: {}, csv: { format: 'csv' }, binary: { format: 'binary' } } as const;

function begun(name: keyof typeof FORMATS): CopyReader {
  const reader = readerOf(FORMATS[name]);
  if (name === 'binary') t.equal([...reader.push(HEADER)].length, 1);
  return reader;
}

/** One that says it has 200 bytes. */
const LONG = {
  text: Buffer.alloc(200, 'x'),
  csv: Buffer.alloc(200, 'x'),
  binary: Buffer.from('\0\x01\0\0\0\xc8x', 'latin1'),
};

for (const name of ['text', 'csv', 'binary'] as const) {
  t.test(
    `${name}: refuses a row above the limit (54000) before it is there, and gives back what it held`,
    async (t) => {
      const reader = begun(name);
      const parts = [...LONG[name]].map((byte) => Buffer.of(byte));
      let pushed = 0;
      const push = () => {
        for (const part of parts) {
          pushed += 1;
          t.equal([...reader.push(part)].length, 0);
        }
      };
      t.equal(stateOf(push), '54000');
      t.ok(reader.heldBytes <= 101);
      t.same(reader.rest(), LONG[name].subarray(0, pushed));
    },
  );
}

t.test('gives back all that it has not read of data that are broken', async (t) => {
  const text = readerOf({});
  const items = text.push(Buffer.from('a\tb\nc\\.\nd\n'));
  t.match(items.next().value, { kind: 'row' });
  t.equal(
    stateOf(() => items.next()),
    '22P04',
  );
  t.equal(text.rest().toString(), 'c\\.\nd\n');
  const binary = begun('binary');
  t.equal([...binary.push(Buffer.from('\0\x02\0\0\0\x01a\0', 'latin1'))].length, 0);
  t.equal(
    stateOf(() => [...binary.push(Buffer.from('\0\x01\0b', 'latin1'))]),
    '54000',
  );
  t.same(binary.rest(), Buffer.from('\0\x02\0\0\0\x01a\0\0\x01\0b', 'latin1'));
});

t.test('refuses binary data that are none (22P04)', async (t) => {
  const other = Buffer.from(HEADER);
  other[3] = 0;
  const [critical, extended] = [Buffer.from(HEADER), Buffer.from(HEADER)];
  critical[12] = 1;
  extended[18] = 1;
  for (const bytes of [other, critical, extended])
    t.equal(
      stateOf(() => [...readerOf(FORMATS.binary).push(bytes)]),
      '22P04',
    );
  for (const row of ['\xff\xfe', '\0\x01\xff\xff\xff\xfe']) {
    t.equal(
      stateOf(() => [...begun('binary').push(Buffer.from(row, 'latin1'))]),
      '22P04',
      JSON.stringify(row),
    );
  }
  const cut = begun('binary');
  t.same([...cut.push(Buffer.from('\0\x01\0'))], []);
  t.equal(
    stateOf(() => cut.end()),
    '22P04',
  );
  t.equal(
    stateOf(() => readerOf(FORMATS.binary).end()),
    '22P04',
    'nothing at all',
  );
  t.equal(begun('binary').end(), undefined, 'an end without a mark');
});

t.test('tells what comes behind an end from rows', async (t) => {
  const kinds = (reader: CopyReader, bytes: Buffer) => [...reader.push(bytes)].map(({ kind }) => kind);
  t.same(kinds(readerOf({}), Buffer.from('a\n\\.\nb\nc')), ['row', 'frame', 'ignored']);
  t.same(kinds(begun('binary'), Buffer.from('\0\0\xff\xffmore', 'latin1')), ['row', 'frame', 'ignored']);
  t.same(kinds(readerOf(FORMATS.csv), Buffer.from('a\n\\.\nb\n')), ['row', 'row', 'row'], 'CSV has no such mark');
});

t.test('refuses options that PostgreSQL refuses (22023)', async (t) => {
  const refused: readonly Partial<CopyOptions>[] = [
    { delimiter: '' },
    { delimiter: 'ab' },
    { delimiter: 'é' },
    { delimiter: '\n' },
    { delimiter: 'a' },
    { delimiter: '\\' },
    { nullText: 'a\nb' },
    { nullText: 'a\tb' },
    { defaultText: '\t' },
    { format: 'csv', quote: '' },
    { format: 'csv', quote: ',' },
    { format: 'csv', escape: '""' },
    { format: 'csv', nullText: 'a"b' },
  ];
  for (const options of refused)
    t.equal(
      stateOf(() => copyOptions(options)),
      '22023',
      JSON.stringify(options),
    );
  t.equal(copyOptions({ format: 'csv', quote: "'" }).escape, "'", 'the escape is the quote, where it is not given');
});

t.test('joins parts, however small', async (t) => {
  const held = new Accumulator();
  for (let at = 0; at < 1_000; at += 1) held.append(Buffer.of(at & 0xff));
  t.equal(held.length, 1_000);
  const all = held.take(Buffer.from('end'));
  t.same([all.length, all[999], all.toString('latin1', 1_000)], [1_003, 999 & 0xff, 'end']);
  t.equal(held.length, 0);
});
