/** One contract for the three formats of COPY, with a real PostgreSQL: what it writes is read, and what is written it reads. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import pg from 'pg';
import t from 'tap';
import { type CopyFormat, type CopyItem, encodeItem } from '../../../postgres/copy/format.ts';
import { openFormat } from '../../../postgres/copy/open-format.ts';
import { type CopyOptions, copyOptions } from '../../../postgres/copy/options.ts';
import { SessionError } from '../../../postgres/session-error.ts';
import { copy } from '../../support/copy-query.ts';
import { startShop } from '../../support/shop-database.ts';

const USER = { name: 'app', password: 'secret' };
const SEED = 11;
const MAX_BYTES = 1024 * 1024;
const server = await startShop(t, USER, undefined);
const { host, port, database } = server;
const client = new pg.Client({ host, port, database, user: USER.name, password: USER.password });
await client.connect();
t.teardown(() => client.end());
await client.query('CREATE TEMP TABLE cells (place serial, a text, b text)');

/** With what PostgreSQL is told of them. */
const FORMATS: Readonly<Record<string, { readonly with: string; readonly options: Partial<CopyOptions> }>> = {
  text: { with: 'FORMAT text', options: {} },
  'text with options': {
    with: `DELIMITER '|', NULL 'nil', HEADER`,
    options: { delimiter: '|', nullText: 'nil', header: 'skip' },
  },
  csv: { with: 'FORMAT csv', options: { format: 'csv' } },
  'csv with options': {
    with: String.raw`FORMAT csv, DELIMITER ';', NULL 'nil', QUOTE '''', ESCAPE '\', HEADER`,
    options: { format: 'csv', delimiter: ';', nullText: 'nil', quote: "'", escape: '\\', header: 'skip' },
  },
  'csv with letters that mean something': {
    with: `FORMAT csv, DELIMITER 'a', NULL 'x', QUOTE '5', ESCAPE '0'`,
    options: { format: 'csv', delimiter: 'a', nullText: 'x', quote: '5', escape: '0' },
  },
  binary: { with: 'FORMAT binary', options: { format: 'binary' } },
};

const PIECES = [
  '',
  'a',
  'x',
  '5',
  '0',
  'nil',
  '\\N',
  '\\.',
  '\\',
  '"',
  "'",
  ',',
  ';',
  '|',
  '\t',
  '\n',
  '\r',
  '\r\n',
  '\b\f\v',
  '\x01',
  'é',
  '😀',
];
const value = fc.array(fc.constantFrom(...PIECES), { maxLength: 5 }).map((pieces) => pieces.join(''));
const cell = fc.option(value, { freq: 5 });
const rows = fc.array(fc.tuple(cell, cell), { maxLength: 8 });
const sizes = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 40 });

/** Cut at these places, the rest in one. */
function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  let at = 0;
  const parts = lengths.map((length) => {
    at += length;
    return bytes.subarray(at - length, at);
  });
  return [...parts, bytes.subarray(at)];
}

function read(format: CopyFormat, parts: readonly Buffer[]): CopyItem[] {
  const reader = format.reader(MAX_BYTES);
  const items = parts.flatMap((part) => [...reader.push(part)]);
  const last = reader.end();
  return last ? [...items, last] : items;
}

type Cells = readonly (string | null)[];

function cellsOf(format: CopyFormat, items: readonly CopyItem[]): Cells[] {
  return items
    .filter(({ kind }) => kind === 'row')
    .map(({ cells }) => cells.map((each) => (format.read(each) === 'null' ? null : format.read(each).toString())));
}

for (const [name, { with: options, options: own }] of Object.entries(FORMATS)) {
  const format = openFormat(copyOptions(own));

  await t.test(
    `${name}: reads what PostgreSQL writes, however it is cut, and writes it back byte for byte`,
    async () => {
      await fc.assert(
        fc.asyncProperty(rows, sizes, async (all, lengths) => {
          await client.query('TRUNCATE cells');
          for (const each of all) await client.query('INSERT INTO cells (a, b) VALUES ($1, $2)', [...each]);
          const { data } = await copy(client, `COPY (SELECT a, b FROM cells ORDER BY place) TO STDOUT (${options})`);
          const bytes = Buffer.concat(data);
          const items = read(format, cut(bytes, lengths));
          assert.deepEqual(Buffer.concat(items.map((item) => encodeItem(item))), bytes);
          const isAmbiguous = (each: string | null) => own.format === undefined && each === own.nullText;
          assert.deepEqual(
            cellsOf(format, items),
            all.map((row) => row.map((each) => (isAmbiguous(each) ? null : each))),
          );
          const rewritten = items.map((item) =>
            encodeItem(
              item,
              item.cells.map((like) => {
                const found = format.read(like);
                return Buffer.isBuffer(found) && item.kind === 'row' ? format.write(found, { like }) : undefined;
              }),
            ),
          );
          assert.deepEqual(Buffer.concat(rewritten), bytes);
        }),
        { seed: SEED, numRuns: 25 },
      );
    },
  );

  await t.test(`${name}: writes what PostgreSQL reads, also what could be taken for NULL`, async () => {
    await fc.assert(
      fc.asyncProperty(rows, sizes, async (all, lengths) => {
        await client.query('TRUNCATE cells');
        // What PostgreSQL writes of empty rows has all but the cells.
        await client.query(`INSERT INTO cells (a, b) SELECT NULL, NULL FROM generate_series(1, ${all.length})`);
        const { data } = await copy(client, `COPY (SELECT a, b FROM cells) TO STDOUT (${options})`);
        const items = read(format, data);
        const found = items.filter(({ kind }) => kind === 'row');
        const bytes = Buffer.concat(
          items.map((item) =>
            encodeItem(
              item,
              all[found.indexOf(item)]?.map((each) =>
                each === null ? undefined : format.writeApart(Buffer.from(each), 'a', ' '),
              ),
            ),
          ),
        );
        await client.query('TRUNCATE cells');
        await copy(client, `COPY cells (a, b) FROM STDIN (${options})`, { data: cut(bytes, lengths) });
        const stored = await client.query<{ a: string | null; b: string | null }>(
          'SELECT a, b FROM cells ORDER BY place',
        );
        const spared = (each: string | null) =>
          each !== null && own.format === undefined && each === own.nullText ? `${each} ` : each;
        assert.deepEqual(
          stored.rows.map(({ a, b }) => [a, b]),
          all.map((row) => row.map(spared)),
        );
      }),
      { seed: SEED, numRuns: 25 },
    );
  });
}

/** Bytes by chance that mean much. */
const soup = fc
  .array(
    fc.constantFrom(
      'a',
      'b',
      'N',
      'x4',
      'x',
      '101',
      '\\',
      '\\',
      '.',
      '\\.',
      '"',
      '""',
      "'",
      ',',
      '\t',
      '\n',
      '\n',
      '\r',
      '\r\n',
      '\\.\n',
      '',
      '\\N',
    ),
    {
      maxLength: 12,
    },
  )
  .map((pieces) => Buffer.from(pieces.join('')));

/** What is read of them, or the state of the error. */
function verdict(format: CopyFormat, parts: readonly Buffer[]): unknown {
  try {
    return cellsOf(format, read(format, parts));
  } catch (error) {
    return error instanceof SessionError ? error.sqlState : error;
  }
}

for (const [name, statement, own] of [
  ['text', '', {}],
  ['csv', '(FORMAT csv)', { format: 'csv' }],
  ['csv with another escape', String.raw`(FORMAT csv, QUOTE '"', ESCAPE '\')`, { format: 'csv', escape: '\\' }],
  [
    'csv that escapes by a letter',
    `(FORMAT csv, QUOTE '"', ESCAPE 'a', NULL 'N')`,
    { format: 'csv', escape: 'a', nullText: 'N' },
  ],
  ['text with a default', String.raw`(DEFAULT 'b', NULL '\x')`, { defaultText: 'b', nullText: '\\x' }],
] as const) {
  await t.test(`${name}: makes of any bytes what PostgreSQL makes of them`, async () => {
    const format = openFormat(copyOptions(own));
    await client.query('CREATE TEMP TABLE IF NOT EXISTS one (place serial, a text DEFAULT $$default$$)');
    await fc.assert(
      fc.asyncProperty(soup, sizes, async (bytes, lengths) => {
        const ours = verdict(format, cut(bytes, lengths));
        await client.query('TRUNCATE one');
        const theirs = await copy(client, `COPY one (a) FROM STDIN ${statement}`, { data: [bytes] }).then(
          async () =>
            (await client.query<{ a: string | null }>('SELECT a FROM one ORDER BY place')).rows.map(({ a }) => [a]),
          (error: pg.DatabaseError) => error.code,
        );
        const isOfOne = Array.isArray(ours) && ours.every((cells) => cells.length === 1);
        assert.deepEqual(isOfOne || ours === '22P04' ? ours : '22P04', theirs, JSON.stringify(bytes.toString()));
      }),
      { seed: SEED, numRuns: 400 },
    );
  });
}
