/**
 * COPY by chance: values, format, options and cuts. In through the guard and back equal, without a trace of plaintext in what the
 * database received; out equal to what plain columns give. COPY_CASES and COPY_SEED say how many and which.
 */
import * as fc from 'fast-check';
import t from 'tap';
import { copy } from '../../support/copy-query.ts';
import { copyPlace, MARKER } from './support/copy-place.ts';

const CASES = Number(process.env['COPY_CASES'] ?? 60);
const SEED = Number(process.env['COPY_SEED'] ?? 31);
const { guarded, owner, client } = await copyPlace(t);

const piece = fc.constantFrom(
  MARKER,
  '',
  '\\N',
  '\\.',
  '\\',
  'nil',
  '"',
  "'",
  '\t',
  '\n',
  '\r',
  ',',
  ';',
  '|',
  '\x01',
  'é',
  '😀',
  'x',
);
const text = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
/** No line can be longer, and no plaintext found by chance. */
const secret = fc.option(
  text.map((value) => (value === '' ? '' : `${MARKER}${value}`)),
  { freq: 6 },
);
const note = fc.option(
  text.map((value) => value.replaceAll(MARKER, 'note')),
  { freq: 6 },
);
const raw = fc.option(
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.concat([Buffer.from(MARKER), bytes])),
  { freq: 6 },
);

const sign = fc.constantFrom('|', ';', '^', '\x02');
const options = fc.oneof(
  fc
    .record({
      delimiter: fc.option(sign),
      nullText: fc.option(fc.constantFrom('nil', '', '\\N')),
      header: fc.boolean(),
    })
    .map(({ delimiter, nullText, header }) =>
      [
        'FORMAT text',
        ...(delimiter === null ? [] : [`DELIMITER '${delimiter}'`]),
        ...(nullText === null ? [] : [`NULL '${nullText}'`]),
        ...(header ? ['HEADER'] : []),
      ].join(', '),
    ),
  fc
    .record({
      delimiter: fc.option(fc.oneof(sign, fc.constant('\t'))),
      nullText: fc.option(fc.constantFrom('nil', '\\N')),
      quote: fc.constantFrom('"', "''", '~'),
      escape: fc.option(fc.constantFrom('\\', '~', '"')),
      header: fc.constantFrom('', 'HEADER', 'HEADER MATCH'),
    })
    .map(({ delimiter, nullText, quote, escape: escaping, header }) =>
      [
        `FORMAT csv, QUOTE '${quote}'`,
        ...(delimiter === null ? [] : [`DELIMITER '${delimiter}'`]),
        ...(nullText === null ? [] : [`NULL '${nullText}'`]),
        ...(escaping === null ? [] : [`ESCAPE '${escaping}'`]),
        ...(header === '' ? [] : [header]),
      ].join(', '),
    ),
  fc.constant('FORMAT binary'),
);
const scenario = fc.record({
  rows: fc.array(fc.tuple(secret, raw, note), { minLength: 1, maxLength: 12 }),
  columns: fc.shuffledSubarray(['id', 'secret', 'raw', 'note'], { minLength: 4 }),
  options,
  cuts: fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 60 }),
});

/** In pieces of these sizes, the rest in one. */
function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  let at = 0;
  const parts = sizes.map((size) => {
    at += size;
    return bytes.subarray(at - size, at);
  });
  return [...parts, bytes.subarray(at)].filter(({ length }) => length > 0);
}

t.test('gives back what was copied in, and gives out what plain columns do', { timeout: 600_000 }, async (t) => {
  const samples = fc.sample(scenario, { numRuns: CASES, seed: SEED });
  let from = guarded.heard().length;
  for (const [index, { rows, columns, options: given, cuts }] of samples.entries()) {
    const told = `case ${index} of seed ${SEED}: (${given}) ${JSON.stringify(rows)}`;
    await owner.query('TRUNCATE person, plain');
    for (const [id, [own, bytes, other]] of rows.entries()) {
      await owner.query('INSERT INTO plain (id, secret, raw, note) VALUES ($1, $2, $3, $4)', [id, own, bytes, other]);
    }
    const list = columns.join(', ');
    const outgoing = given.replace('HEADER MATCH', 'HEADER');
    const { data } = await copy(owner, `COPY plain (${list}) TO STDOUT (${outgoing})`);
    const bytes = Buffer.concat(data);
    await copy(client, `COPY person (${list}) FROM STDIN (${given})`, { data: cut(bytes, cuts) });
    await copy(owner, 'DELETE FROM plain');
    await copy(owner, `COPY plain (${list}) FROM STDIN (${given})`, { data: [bytes] });
    const heard = guarded.heard().subarray(from);
    from += heard.length;
    const isSeen = heard.includes(MARKER) || heard.includes(Buffer.from(MARKER).toString('hex'));
    if (isSeen) return t.fail(`plaintext was sent, ${told}`);
    const read = (table: string) => `SELECT id, secret, raw, note FROM ${table} ORDER BY id`;
    const [own, theirs] = [(await client.query(read('person'))).rows, (await owner.query(read('plain'))).rows];
    const back = Buffer.concat((await copy(client, `COPY person (${list}) TO STDOUT (${outgoing})`)).data);
    const again = Buffer.concat((await copy(owner, `COPY plain (${list}) TO STDOUT (${outgoing})`)).data);
    if (JSON.stringify(own) === JSON.stringify(theirs) && back.equals(again)) continue;
    t.same([own, back.toString()], [theirs, again.toString()], told);
    return undefined;
  }
  t.pass(`${CASES} cases`);
  return undefined;
});
