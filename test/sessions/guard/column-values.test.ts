/** Text and binary forms of the values of protected columns, and what is no value of their type. */
import fc from 'fast-check';
import t from 'tap';
import { Refusal } from '../../../acra/statements/refusal.ts';
import { encodeBytea } from '../../../postgres/bytea.ts';
import { textOf, valueFromBinary, valueFromText } from '../../../sessions/guard/column-values.ts';
import { columnOf } from '../../acra/support/columns.ts';
import { sqlStateOf } from '../../emulator/acra-server/support/sql-state.ts';

const INT32 = columnOf({ dataType: 'int32' });
const INT64 = columnOf({ dataType: 'int64' });
const STR = columnOf({ dataType: 'str' });
const BYTEA_COLUMNS = [columnOf({ dataType: 'bytes' }), columnOf({ dataType: undefined })];

const fromText = (column: typeof INT32, text: string) => valueFromText(column, Buffer.from(text)).toString('hex');

t.test('reads integers as PostgreSQL does, in its binary form', async (t) => {
  t.equal(fromText(INT32, '0'), '00000000');
  t.equal(fromText(INT32, '-1'), 'ffffffff');
  t.equal(fromText(INT32, ' \t\n\v\f\r+12 \t\n\v\f\r'), '0000000c');
  t.equal(fromText(INT32, '-2147483648'), '80000000');
  t.equal(fromText(INT32, '2147483647'), '7fffffff');
  t.equal(fromText(INT32, '-0'), '00000000');
  t.equal(fromText(INT32, `-${'0'.repeat(100)}5`), 'fffffffb');
  t.equal(fromText(INT64, '-9223372036854775808'), '8000000000000000');
  t.equal(fromText(INT64, '9223372036854775807'), '7fffffffffffffff');
});

t.test('refuses an integer out of range (22003)', async (t) => {
  for (const text of ['2147483648', '-2147483649', '9'.repeat(40)]) {
    t.equal(
      sqlStateOf(() => fromText(INT32, text)),
      '22003',
      text,
    );
  }
  for (const text of ['9223372036854775808', '-9223372036854775809']) {
    t.equal(
      sqlStateOf(() => fromText(INT64, text)),
      '22003',
      text,
    );
  }
});

t.test('refuses 16 MiB of digits without converting them (22003)', async (t) => {
  const before = process.cpuUsage();
  t.equal(
    sqlStateOf(() => valueFromText(INT64, Buffer.alloc(16 * 1024 * 1024, '9'))),
    '22003',
  );
  const { user, system } = process.cpuUsage(before);
  t.ok(user + system < 1_500_000, 'µs of CPU; the conversion alone takes over three seconds');
});

t.test('refuses what is no integer (22P02), and does not repeat it', async (t) => {
  for (const text of [
    '',
    ' ',
    '-',
    '+',
    '--1',
    '+-1',
    '1.0',
    '1e3',
    '0x1F',
    '1_000',
    '1 2',
    '\u0661',
    '1\u00a0',
    'abc',
  ]) {
    try {
      fromText(INT32, text);
      t.fail(`took ${JSON.stringify(text)}`);
    } catch (error) {
      t.ok(error instanceof Refusal);
      t.match(error, { sqlState: '22P02', message: 'the value for column "secret" is no int32' });
    }
  }
});

t.test('takes binary integers in every size that drivers send, keeping the sign', async (t) => {
  for (const hex of ['fffe', 'fffffffe', 'fffffffffffffffe']) {
    t.equal(valueFromBinary(INT32, Buffer.from(hex, 'hex')).toString('hex'), 'fffffffe');
    t.equal(valueFromBinary(INT64, Buffer.from(hex, 'hex')).toString('hex'), 'fffffffffffffffe');
  }
});

t.test('refuses a binary integer of another size (22P02) or out of range (22003)', async (t) => {
  for (const length of [0, 1, 3, 5, 7, 9, 16]) {
    t.equal(
      sqlStateOf(() => valueFromBinary(INT64, Buffer.alloc(length))),
      '22P02',
      String(length),
    );
  }
  t.equal(
    sqlStateOf(() => valueFromBinary(INT32, Buffer.from('0000000080000000', 'hex'))),
    '22003',
  );
});

t.test('keeps text and binary of a str column byte for byte, backslashes included', async (t) => {
  for (const bytes of ['', '\\x41', '\\', 'caf\u00e9', 'a\\\\b'].map((text) => Buffer.from(text))) {
    t.same(valueFromText(STR, bytes), bytes);
    t.same(valueFromBinary(STR, bytes), bytes);
    t.same(textOf(STR, bytes), bytes);
  }
});

t.test('reads bytea in both text forms, refuses another (22P02), and writes hex', async (t) => {
  for (const column of BYTEA_COLUMNS) {
    t.equal(fromText(column, '\\x00ff'), '00ff');
    t.equal(fromText(column, 'a\\000b'), '610062');
    for (const text of ['\\x0', '\\xzz', '\\8', 'a\\']) {
      t.equal(
        sqlStateOf(() => fromText(column, text)),
        '22P02',
        text,
      );
    }
    t.equal(textOf(column, Buffer.from('00ff', 'hex')).toString(), '\\x00ff');
  }
});

t.test('shows an integer that acra-server could not open as bytea, as it is stored', async (t) => {
  for (const stored of ['', '2525', '0000000000000001', '252525252525']) {
    const bytes = Buffer.from(stored, 'hex');
    t.equal(textOf(INT32, bytes).toString(), encodeBytea(bytes));
  }
});

t.test('reads back what it shows: integers, text and bytes', async (t) => {
  fc.assert(
    fc.property(fc.integer(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.uint8Array(), (a, b, c) => {
      t.equal(textOf(INT32, valueFromText(INT32, Buffer.from(String(a)))).toString(), String(a));
      t.equal(textOf(INT64, valueFromText(INT64, Buffer.from(String(b)))).toString(), String(b));
      for (const column of BYTEA_COLUMNS) t.same(valueFromText(column, textOf(column, Buffer.from(c))), Buffer.from(c));
    }),
    { seed: 21, numRuns: 100 },
  );
});
