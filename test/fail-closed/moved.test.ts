/**
 * A database that moves ciphertext, and lies about it: an application gets it as it is stored wherever its statement does not call the place
 * protected. What cannot be seen is shown last.
 */
import type pg from 'pg';
import t, { type Test } from 'tap';
import { connectDirectly } from '../../cli/demo/clients.ts';
import { DATA_ROW, HEADER_BYTES } from '../../postgres/messages.ts';
import type { LiedTo } from '../abuse/support/attacked.ts';
import { liedToStack } from '../abuse/support/attacked.ts';
import { frame, RawClient } from '../abuse/support/raw-client.ts';
import { logLines } from '../support/stack.ts';
import { type Field, type LyingRows, lyingRows } from './support/lying-rows.ts';

const DIAGNOSIS = 'Acute-Gout';
const EMAIL = 'ann@example.org';

/** As the owner. */
const MOVED = `
UPDATE patients SET name = diagnosis::text;
CREATE TABLE notes (id int, body bytea, words text);
INSERT INTO notes SELECT id, diagnosis, encode(diagnosis, 'escape') FROM patients;
CREATE VIEW open_patients AS SELECT id, diagnosis AS name FROM patients;
CREATE VIEW all_patients AS SELECT diagnosis FROM patients UNION ALL SELECT body FROM notes;
CREATE FUNCTION any_patient() RETURNS SETOF patients LANGUAGE sql AS 'SELECT * FROM patients' SECURITY DEFINER;
GRANT SELECT ON notes, open_patients, all_patients TO application;
`;

const READS: readonly string[] = [
  'SELECT name FROM patients',
  "SELECT name || '', upper(name), substr(name, 1) FROM patients",
  "SELECT coalesce(name, 'x'), CASE WHEN id > 0 THEN name END FROM patients",
  'SELECT name FROM patients UNION ALL SELECT name FROM patients',
  'SELECT name FROM patients UNION SELECT words FROM notes',
  "SELECT max(name), string_agg(name, ','), array_agg(name), json_agg(name) FROM patients",
  'SELECT (SELECT name FROM patients LIMIT 1), ARRAY(SELECT body FROM notes), ROW(body, words) FROM notes',
  'WITH w AS (SELECT name AS diagnosis FROM patients) SELECT diagnosis FROM w',
  'SELECT s.diagnosis FROM (SELECT name AS diagnosis FROM patients) s',
  'SELECT name AS diagnosis FROM patients',
  'SELECT * FROM notes',
  'SELECT body AS diagnosis, words FROM notes',
  'SELECT name AS diagnosis FROM open_patients',
  'SELECT * FROM all_patients',
  'SELECT (any_patient()).diagnosis',
  'SELECT diagnosis FROM any_patient()',
  'UPDATE patients SET id = id RETURNING name, name AS diagnosis',
];

const asWhole = (client: RawClient) => Buffer.concat(client.received.map((each) => each.frame));

function holdsNoPlaintext(t: Test, client: RawClient, sql: string): void {
  const all = asWhole(client);
  t.notOk(all.includes(DIAGNOSIS) || all.includes(Buffer.from(DIAGNOSIS).toString('hex')), sql);
}

async function ask(t: Test, target: LiedTo, name: string, ...parts: readonly Buffer[]): Promise<RawClient> {
  const { client } = target.stack.parts.certificates;
  const raw = await RawClient.open(target, client, { application_name: name });
  t.teardown(() => raw.socket.destroy());
  raw.send(...parts);
  t.equal(await raw.untilType('Z'), 'came');
  return raw;
}

const simple = (sql: string) => frame('Q', `${sql}\0`);
/** @param describes `S` or `P`, or nothing */
function extended(sql: string, describes: string, resultFormat: number): Buffer[] {
  return [
    frame('P', `\0${sql}\0\0\0`),
    ...(describes === 'S' ? [frame('D', 'S\0')] : []),
    frame('B', Buffer.from([0, 0, 0, 0, 0, 0, 0, 1, 0, resultFormat])),
    ...(describes === 'P' ? [frame('D', 'P\0')] : []),
    frame('E', Buffer.alloc(5)),
    frame('S'),
  ];
}

const cellsOf = (client: RawClient) =>
  client.received
    .filter(({ type }) => type === 'D')
    .map((each) => DATA_ROW.decode(each.frame.subarray(HEADER_BYTES))[0]);

t.test('a database that moves ciphertext', { timeout: 240_000 }, async (t) => {
  const target = await liedToStack(t);
  const { stack, database } = target;
  const owner: pg.Client = await connectDirectly(stack);
  t.teardown(() => owner.end());
  await owner.query('ALTER TABLE patients DROP CONSTRAINT acra_belt_email, DROP CONSTRAINT acra_belt_diagnosis');
  await ask(t, target, 'writer', simple(`INSERT INTO patients VALUES (1, 'Ann', '${EMAIL}', '${DIAGNOSIS}')`));
  await owner.query(MOVED);
  const { rows: stored } = await owner.query("SELECT '\\x' || encode(diagnosis, 'hex') AS hex FROM patients");
  const hex: string = stored[0]?.hex;
  const raw = Buffer.from(hex.slice(2), 'hex');

  await t.test('the application has its own values', async (t) => {
    const client = await ask(t, target, 'reader', simple('SELECT email, diagnosis FROM patients'));
    t.same(cellsOf(client).flat().map(String), [EMAIL, DIAGNOSIS]);
  });

  for (const sql of READS) {
    await t.test(`gives what is stored elsewhere as it is stored: ${sql}`, async (t) => {
      const asked = [simple(sql)].map((each) => [each]);
      for (const describes of ['', 'S', 'P']) for (const format of [0, 1]) asked.push(extended(sql, describes, format));
      for (const parts of asked) {
        const client = await ask(t, target, 'reader', ...parts);
        const isRefused = client.errors.length > 0;
        t.ok(isRefused || cellsOf(client).length > 0, 'rows, or a refusal');
        holdsNoPlaintext(t, client, sql);
      }
    });
  }

  await t.test('byte for byte, in text and in binary', async (t) => {
    const text = await ask(t, target, 'reader', simple('SELECT name, body FROM patients, notes'));
    t.same(cellsOf(text).flat().map(String), [hex, hex]);
    const binary = await ask(t, target, 'reader', ...extended('SELECT body FROM notes', 'P', 1));
    t.same(cellsOf(binary), [[raw]]);
    const copied = await ask(t, target, 'reader', simple('COPY (SELECT body FROM notes) TO STDOUT'));
    t.match(asWhole(copied).toString('latin1'), hex.slice(2));
    holdsNoPlaintext(t, copied, 'COPY');
  });

  const asDiagnosis = (own: Field): Field => ({ ...own, name: 'diagnosis', columnNumber: 4, typeOid: 17 });
  const text = Buffer.from(hex);
  const LIES: Readonly<Record<string, readonly [sql: string, lie: LyingRows]>> = {
    'another column said to be the protected one': [
      'SELECT id, name FROM patients',
      { fields: ([id, name]) => [id as Field, asDiagnosis(name as Field)] },
    ],
    'a column of no table said to be the protected one': [
      'SELECT 1 AS one',
      { fields: ([one]) => [asDiagnosis({ ...(one as Field), tableOid: 16_400 })], cells: () => [text] },
    ],
    'a column more than was asked for': [
      'SELECT id FROM patients',
      { fields: ([id]) => [id as Field, asDiagnosis(id as Field)], cells: ([id]) => [id ?? null, text] },
    ],
    'two in place of one protected column': [
      'SELECT diagnosis FROM patients',
      { fields: ([own]) => [own as Field, own as Field], cells: () => [text, text] },
    ],
    'fewer columns than were asked for': [
      'SELECT id, diagnosis FROM patients',
      { fields: ([, own]) => [own as Field], cells: () => [text] },
    ],
    'another order than was asked for': [
      'SELECT id, diagnosis FROM patients',
      { fields: (own) => own.toReversed(), cells: (own) => own.toReversed() },
    ],
    'a cell more than described': ['SELECT diagnosis FROM patients', { cells: () => [text, text] }],
    'a cell less than described': ['SELECT id, diagnosis FROM patients', { cells: () => [text] }],
    'cells in another order than described': [
      'SELECT id, diagnosis FROM patients',
      { cells: () => [text, Buffer.from('1')] },
    ],
    'a cell in the place of an unprotected one, undescribed': [
      'SELECT id, name FROM patients',
      { cells: () => [text, text], isUndescribed: true },
    ],
    'a protected column of another name': [
      'SELECT diagnosis FROM patients',
      { fields: ([own]) => [{ ...(own as Field), name: 'name' }] },
    ],
    'a protected column of no table': [
      'SELECT diagnosis FROM patients',
      { fields: ([own]) => [{ ...(own as Field), tableOid: 0, columnNumber: 0 }] },
    ],
    'two protected columns that are said to be one': [
      'SELECT email, diagnosis FROM patients',
      { fields: ([email, own]) => [{ ...(email as Field), columnNumber: 4 }, own as Field], cells: () => [text, text] },
    ],
  };
  for (const [name, [sql, lie]] of Object.entries(LIES)) {
    await t.test(`gives as it is stored ${name}`, async (t) => {
      database.lies.set(name, lyingRows(lie));
      for (const parts of [[simple(sql)], extended(sql, 'S', 0), extended(sql, 'P', 0)]) {
        const client = await ask(t, target, name, ...parts);
        t.ok(asWhole(client).includes(text), 'the cell arrives');
        holdsNoPlaintext(t, client, name);
      }
    });
  }

  await t.test('and tells the log how much of it there was, and nothing of what', async (t) => {
    const records = logLines(stack.enclave, 'supervisor').filter(({ event }) =>
      ['guard.container-elsewhere', 'guard.result-contradicted'].includes(event),
    );
    t.same([...new Set(records.map(({ event }) => event))].toSorted(), [
      'guard.container-elsewhere',
      'guard.result-contradicted',
    ]);
    t.ok(records.length <= 2 * 5, 'once a minute of each kind');
    t.notMatch(JSON.stringify(records), /Gout|252525/);
  });

  await t.test('nobody can see: one protected column in the place of another of the same keys', async (t) => {
    await owner.query('UPDATE patients SET diagnosis = substr(email, 34)');
    const client = await ask(t, target, 'reader', simple('SELECT diagnosis FROM patients'));
    t.same(cellsOf(client).flat().map(String), [EMAIL], 'a container has no mark of its column');
    database.lies.set('swaps', lyingRows({ cells: ([, other]) => [Buffer.from(hex), other ?? null] }));
    const swapped = await ask(t, target, 'swaps', simple('SELECT email, diagnosis FROM patients'));
    t.same(cellsOf(swapped)[0]?.[0]?.toString(), DIAGNOSIS, 'nor does it say which, where the cells are exchanged');
  });
});
