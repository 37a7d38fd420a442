/** COPY into protected columns through the guard, before a real PostgreSQL: what is stored, and what a refusal leaves. */
import t from 'tap';
import { copy } from '../../support/copy-query.ts';
import { codeOf, copyPlace, MARKER } from './support/copy-place.ts';
import { isReal } from './support/guarded-postgres.ts';

const { guarded, owner, client, into, outOf, count } = await copyPlace(t);

t.beforeEach(async () => {
  await owner.query('TRUNCATE person, plain, strict');
});

t.test('stores values, NULL, empty texts and defaults as INSERT does', async (t) => {
  await into(
    'COPY person FROM STDIN',
    `1\t${MARKER}\t\\\\x00ff\t-7\t12345678901\tn\n2\t\\N\t\\N\t\\N\t\\N\t\\N\n3\t\t\\\\x\t0\t0\t\n`,
  );
  await into(
    `COPY person (id, note, secret) FROM STDIN (DEFAULT '\\D')`,
    `4\t\\D\t${MARKER} \\\\ \\t \\x41 \\101 \\b end\n`,
  );
  const { rows } = await client.query('SELECT id, secret, raw, small, large, note FROM person ORDER BY id');
  t.same(rows, [
    { id: 1, secret: MARKER, raw: Buffer.from([0, 255]), small: -7, large: '12345678901', note: 'n' },
    { id: 2, secret: null, raw: null, small: null, large: null, note: null },
    { id: 3, secret: '', raw: Buffer.alloc(0), small: 0, large: '0', note: '' },
    { id: 4, secret: `${MARKER} \\ \t A A \b end`, raw: null, small: null, large: null, note: 'none' },
  ]);
  t.same((await client.query('SELECT id FROM person WHERE secret = $1', [MARKER])).rows, [{ id: 1 }]);
  const { rows: stored } = await owner.query('SELECT secret FROM person WHERE id IN (1, 3) ORDER BY id');
  t.ok(stored[0].secret.length > 100);
  t.equal(stored[1].secret.length, 0, 'the empty text is stored empty');
});

/** What plain columns make of the same data: the states of errors, else all rows. */
async function compare(options: string, data: string, columns = 'id, secret, note') {
  const [own, theirs] = ['person', 'plain'].map((table) => `COPY ${table} (${columns}) FROM STDIN ${options}`);
  const ends = [
    await codeOf(into(own ?? '', data)),
    await codeOf(copy(owner, theirs ?? '', { data: [Buffer.from(data)] })),
  ];
  const query = (table: string) => `SELECT id, secret, raw, small, large, note FROM ${table} ORDER BY id`;
  const rows = [(await client.query(query('person'))).rows, (await owner.query(query('plain'))).rows];
  await owner.query('TRUNCATE person, plain');
  return { ends, rows };
}

const DATA: readonly (readonly [options: string, data: string, columns?: string])[] = [
  ['', '1\ta\tb\n2\tc\td'],
  ['', '1\ta\tb\n\\.\nnot read\n'],
  ['', '1\ta\tb\n2\tc\\.\n'],
  ['', '1\ta\tb\r\n2\tc\td\r\n'],
  ['', '1\ta\tb\n2\tc\td\r\n'],
  ['', '1\ta\n'],
  ['', '1\ta\tb\tc\n'],
  ['', '1\ta\\\nb\tc\n'],
  ['', '1\t\\xff\tc\n'],
  ['', '1\t\\0\tc\n'],
  ['', 'x\ta\tb\n'],
  [`(DEFAULT '\\D')`, '1\ta\t\\D\n'],
  [`(DEFAULT '\\D')`, '1\t\\D\t\\D\n'],
  ['', '1\ta\tb\n1\ta\tb\n'],
  [`DELIMITERS ';' NULL AS 'nil'`, '1;a;b\n2;nil;nil\n3;\\nil;b\n'],
  ['(HEADER)', 'anything at all\n1\ta\tb\n'],
  ['(HEADER MATCH)', 'id\tsecret\tnote\n1\ta\tb\n'],
  ['(HEADER MATCH)', 'id\tother\tnote\n1\ta\tb\n'],
  ['(HEADER MATCH)', 'id\tsecret\n1\ta\tb\n'],
  ['(FORMAT csv)', '1,a,b\n2,"c ""d"", \n e",\n3,,"",\n'],
  ['(FORMAT csv)', '1,a,b\n2,"c ""d"", \n e",\n3,,""\n4,"",\n'],
  ['(FORMAT csv)', '1,"a,b\n'],
  ['(FORMAT csv, HEADER MATCH)', '"id",secret,note\n1,a,b\n'],
  ['(FORMAT csv, FORCE_NOT_NULL (secret), FORCE_NULL (note))', '1,,""\n2,"",\n'],
  [`(FORMAT csv, FORCE_NULL *, NULL 'nil')`, '1,"nil",nil\n2,nil,"nil"\n'],
  [`(FORMAT csv, FORCE_NOT_NULL *, NULL 'nil')`, '1,nil,nil\n'],
  [`(FORMAT csv, DELIMITER '5', QUOTE 'x', ESCAPE '0')`, '15x00x5b\n25xa0xbx5c\n'],
  [`(FORMAT csv, DEFAULT 'd', NULL 'n')`, '1,n,d\n2,"n","d"\n'],
  ["CSV HEADER QUOTE AS '''' ESCAPE AS '\\' FORCE NOT NULL secret", "x\n1,,b\n2,'it\\'s',c\n"],
  ['(ON_ERROR ignore)', 'x\ta\tb\n2\tc\td\n'],
  ['(ENCODING utf8, FREEZE false, LOG_VERBOSITY verbose)', '1\té\tü\n'],
  ['', '1\t\\\\x00\n2\t\\\\x0 0\n', 'id, raw'],
  ['', '1\t\\\\\\\\ \\\\000\n', 'id, raw'],
  ['', '1\t\\\\x0\n', 'id, raw'],
];

t.test('does with data what plain columns do', async (t) => {
  for (const [options, data, columns] of DATA) {
    const { ends, rows } = await compare(options, data, columns);
    // As for a parameter.
    const state = ends[1] === '22023' ? '22P02' : ends[1];
    t.equal(ends[0], state, `${options} ${JSON.stringify(data)}: ${state}`);
    t.same(rows[0], rows[1], `${options} ${JSON.stringify(data)}`);
  }
});

t.test(
  'reads integers as plain columns do, and skips rows as ON_ERROR says',
  { skip: !isReal && 'the stand-in has none' },
  async (t) => {
    const given: readonly (readonly [string, string])[] = [
      ['', '1\t 7 \t-9223372036854775808\n'],
      ['', '1\t2147483648\t1\n'],
      ['', '1\t1\t9223372036854775808\n'],
      ['', '1\tseven\t1\n'],
      ['', '1\t\t1\n'],
      ['(ON_ERROR ignore)', '1\t1\t1\n2\tx\t2\n3\t3\t99999999999999999999\n4\t4\t4\n'],
      ['(ON_ERROR ignore, REJECT_LIMIT 1)', '1\t1\t1\n2\tx\t2\n3\tx\t3\n4\t4\t4\n'],
      ['(FORMAT csv, ON_ERROR ignore)', '1,1,1\n2,x,2\n4,4,4\n'],
    ];
    for (const [options, data] of given) {
      const { ends, rows } = await compare(options, data, 'id, small, large');
      t.equal(ends[0], ends[1], `${options} ${JSON.stringify(data)}: ${ends[1]}`);
      t.same(rows[0], rows[1], `${options} ${JSON.stringify(data)}`);
    }
  },
);

t.test('sends no line that HEADER passes over', async (t) => {
  await into('COPY person (id, secret) FROM STDIN (FORMAT csv, HEADER)', `1,"${MARKER} and no header"\n2,x\n`);
  t.equal(await count(), 1);
});

t.test('leaves what PostgreSQL leaves of a COPY that fails', async (t) => {
  const rows = (last: string) => `1\t${MARKER}\n2\t${MARKER}\n${last}`;
  let named = 0;
  for (const kind of ['simple', 'extended', 'prepared'] as const) {
    for (const last of [`3\t${MARKER}\t${MARKER}\n`, `3\n4\t${MARKER}\n`, `3\t${MARKER}\\xff\n`, `1\t${MARKER}\n`]) {
      const protocol = () => (kind === 'prepared' ? { name: `copy ${named++}` } : kind);
      const failing = () => into('COPY person (id, secret) FROM STDIN', rows(last), { protocol: protocol() });
      const state = await codeOf(failing());
      t.match(state, /^(22P04|22021|23505)$/);
      t.equal(await count(), 0, 'nothing is stored');
      await client.query('BEGIN');
      await client.query('INSERT INTO person (id) VALUES (9)');
      await client.query('SAVEPOINT s');
      t.equal(await codeOf(failing()), state);
      t.equal(await codeOf(client.query('SELECT 1')), '25P02', 'the transaction has failed');
      await client.query('ROLLBACK TO s');
      await client.query('COMMIT');
      t.equal(await count(), 1);
      await owner.query('TRUNCATE person');
    }
  }
  const error = await into('COPY person (id, secret) FROM STDIN', `1\t${MARKER}\tx\n`).catch((thrown) => thrown);
  t.match(error.message, /^refused by acra-enclave: extra data after last expected column/);
  t.notMatch(JSON.stringify(error), MARKER);
});

t.test('keeps to itself why a client gives up', async (t) => {
  const giving = into('COPY person (id, secret) FROM STDIN', `1\t${MARKER}\n`, { failsWith: `at ${MARKER}` });
  await t.rejects(giving, { code: '57014', message: `COPY from stdin failed: at ${MARKER}` });
  t.equal(await count(), 0);
});

t.test('refuses what it cannot do exactly, and says why (0A000)', async (t) => {
  for (const sql of [
    "COPY person FROM '/tmp/x'",
    "COPY person TO '/tmp/x'",
    "COPY person FROM PROGRAM 'cat'",
    "COPY (SELECT secret FROM person) TO PROGRAM 'cat'",
    "COPY person FROM STDIN WHERE secret = 'x'",
    'COPY person FROM STDIN WHERE person IS NOT NULL',
    'COPY person FROM STDIN (ENCODING latin1)',
    'COPY person TO STDOUT (ENCODING latin1)',
    'COPY (SELECT secret FROM person ORDER BY secret) TO STDOUT',
    'COPY (SELECT lower(secret::text) FROM person) TO STDOUT',
  ]) {
    const error = await client.query(sql).catch((thrown) => thrown);
    t.match(error, { code: '0A000', message: /^refused by acra-enclave: / }, sql);
  }
  const csv = into('COPY person (secret) FROM STDIN (FORMAT csv)', 'a\n\\.\n');
  await t.rejects(csv, { code: '0A000', message: /write it in quotes/ });
});

t.test('filters rows by other columns, and takes columns that are made', async (t) => {
  await into('COPY person (id, secret) FROM STDIN WHERE id > 1', `1\t${MARKER}\n2\t${MARKER}\n`);
  t.equal(await count(), 1);
  await into('COPY made (id) FROM STDIN', '4\n');
  t.equal(await outOf('COPY made TO STDOUT'), '4\n');
});

t.test('copies into several tables in one text, each by its own columns', async (t) => {
  await owner.query('CREATE TABLE others (a text)');
  const socket = client;
  await socket.query('BEGIN');
  await into('COPY others FROM STDIN', 'in clear\n');
  await into('COPY strict FROM STDIN', `1\t${MARKER}\n`);
  await socket.query('COMMIT');
  t.equal(await outOf('COPY others TO STDOUT'), 'in clear\n');
  t.equal(await outOf('COPY strict TO STDOUT'), `1\t${MARKER}\n`);
});

t.test('takes rows of megabytes in small pieces, and none beyond the limit (54000)', async (t) => {
  const long = Buffer.concat([Buffer.from(`1\t${MARKER}`), Buffer.alloc(6 * 1024 * 1024, 'x'), Buffer.from('\n')]);
  const pieces = Array.from({ length: Math.ceil(long.length / 5_000) }, (_, at) =>
    long.subarray(at * 5_000, (at + 1) * 5_000),
  );
  await into('COPY person (id, secret) FROM STDIN', pieces);
  t.ok(Buffer.from(await outOf('COPY person (id, secret) TO STDOUT')).equals(long));
  const endless = Array.from({ length: 300 }, () => Buffer.alloc(64 * 1024, 'x'));
  t.equal(await codeOf(into('COPY person (id, secret) FROM STDIN', endless)), '54000');
  t.equal(guarded.room.bytes, 0);
  t.equal(await count(), 1);
});

t.test('does not ask the engine row by row', async (t) => {
  const rows = Array.from({ length: 3_000 }, (_, id) => Buffer.from(`${id}\t${MARKER} ${id}\n`));
  const messagesBefore = guarded.heard().length;
  await into('COPY person (id, secret) FROM STDIN', rows);
  const frames = guarded.heard().subarray(messagesBefore);
  t.ok(frames.length > 3_000 * 200);
  t.equal(await count(), 3_000);
});

t.test('has sent the database nothing in plaintext in all of this', async (t) => {
  t.notOk(guarded.heard().includes(MARKER));
  t.notOk(guarded.heard().includes(Buffer.from(MARKER).toString('hex')));
});
