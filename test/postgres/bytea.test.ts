/** The text forms of bytea, held against the input function of a real PostgreSQL 18. */
import fc from 'fast-check';
import { Client } from 'pg';
import t from 'tap';
import { decodeBytea, encodeBytea } from '../../postgres/bytea.ts';
import { startShop } from '../support/shop-database.ts';

const PASSWORD = 'pencil';
const server = await startShop(t, { name: 'app', password: PASSWORD }, undefined);
const session = new Client({ ...server, user: 'app', password: PASSWORD });
await session.connect();
t.teardown(() => session.end());

/** Hexadecimal; undefined where PostgreSQL refuses it. */
async function readByPostgres(text: string): Promise<string | undefined> {
  try {
    const { rows } = await session.query("SELECT encode($1::bytea, 'hex') AS read", [text]);
    return rows[0].read;
  } catch {
    return undefined;
  }
}

const EDGES = [
  ...['', '\\', '\\\\', '\\\\\\', '\\000', '\\377', '\\400', '\\08', '\\1', '\\12', 'a\\b', '\\\\x41', '\\X41'],
  ...[
    '\\x',
    '\\x4',
    '\\x41',
    '\\x4142',
    '\\xaB',
    '\\x41 42',
    '\\x 41',
    '\\x41 ',
    '\\x4 1',
    '\\x4 142',
    '\\x41\t\r\n42',
  ],
  ...[
    '\\x41\f42',
    '\\x41\v42',
    '\\x41\u00a042',
    '\\x4g',
    '\\x\u0130\u0131',
    '\\x\\101',
    'x41',
    ' \\x41',
    '\u00e9\\\\',
    '\u{1f511}',
  ],
];

t.test('reads and refuses the edges of both forms as PostgreSQL does', async (t) => {
  for (const text of EDGES) {
    t.equal(decodeBytea(Buffer.from(text))?.toString('hex'), await readByPostgres(text), JSON.stringify(text));
  }
});

t.test('reads and refuses as PostgreSQL does what is nearly of a form', async (t) => {
  const piece = fc.constantFrom(
    '\\',
    '\\\\',
    '\\x',
    '0',
    '3',
    '7',
    '8',
    'a',
    'F',
    'g',
    ' ',
    '\n',
    '\t',
    '\v',
    '\\101',
    '\u00e9',
  );
  const pieces = fc.array(piece, { maxLength: 12 }).map((all) => all.join(''));
  const texts = fc.sample(
    fc.oneof(
      pieces,
      pieces.map((text) => `\\x${text}`),
    ),
    { seed: 11, numRuns: 400 },
  );
  const wrong: string[] = [];
  for (const text of texts) {
    if (decodeBytea(Buffer.from(text))?.toString('hex') !== (await readByPostgres(text))) wrong.push(text);
  }
  t.same(wrong, []);
});

t.test('reads back whatever it writes', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      t.same(decodeBytea(Buffer.from(encodeBytea(Buffer.from(bytes)))), Buffer.from(bytes));
    }),
    { seed: 12, numRuns: 100 },
  );
});

t.test('reads the escape form of every byte', async (t) => {
  for (let byte = 0; byte < 256; byte++) {
    t.same(decodeBytea(Buffer.from(`\\${byte.toString(8).padStart(3, '0')}`)), Buffer.of(byte), String(byte));
  }
});

t.test('reads the hex form of 16 MiB', async (t) => {
  const bytes = Buffer.alloc(16 * 1024 * 1024, 'ab', 'hex');
  t.ok(decodeBytea(Buffer.from(encodeBytea(bytes)))?.equals(bytes));
});

t.test('reads 16 MiB of either form, whatever stands in it, without holding much more than that', async (t) => {
  const texts = ['\\101', 'a\\\\b', '41 ', ' '].map((part) => Buffer.alloc(16 * 1024 * 1024, part));
  for (const [index, text] of texts.entries()) {
    const before = process.cpuUsage();
    const beforeBytes = process.memoryUsage().heapUsed;
    decodeBytea(index < 2 ? text : Buffer.concat([Buffer.from('\\x'), text]));
    const { user, system } = process.cpuUsage(before);
    t.ok(user + system < 1_000_000, 'µs of CPU');
    t.ok(
      process.memoryUsage().heapUsed - beforeBytes < 64e6,
      'bytes; a number or a text for each byte takes over 128 MB',
    );
  }
});
