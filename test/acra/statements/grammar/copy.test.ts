/** What COPY of protected columns is judged to be: its cells, its format, and what nobody could do exactly. */
import t from 'tap';
import { judge } from '../../../../acra/statements/judge.ts';
import { loadParser, parseText } from '../../../../acra/statements/parser.ts';
import { ANY_RELATION } from '../../../../acra/statements/policy.ts';
import { tables } from '../../../emulator/acra-server/support/vector-cipher.ts';
import { shownText } from '../support/shown-text.ts';

const parser = await loadParser();
const judged = (sql: string) => judge({ tables, reader: 'engine', policy: ANY_RELATION }, parseText(parser, sql));

function planOf(sql: string) {
  const verdict = judged(sql);
  if (verdict.kind === 'refused') throw new Error(`${verdict.sqlState} ${verdict.reason}: ${sql}`);
  return verdict.plan;
}

const outputsOf = (sql: string) =>
  planOf(sql).streams.map(({ content }) =>
    content?.outputs.map((output) => (typeof output === 'object' ? output.column.name : output)),
  );

const columns = tables.get('v')?.columns ?? [];
const list = columns.map((name) => `"${name}"`).join(', ');

t.test('names the columns of a protected table where the statement does not', async (t) => {
  const texts: Readonly<Record<string, string>> = {
    'COPY v FROM STDIN': `COPY v (${list}) FROM STDIN`,
    'COPY v TO STDOUT CSV': `COPY v (${list}) TO STDOUT CSV`,
    'COPY BINARY public . v /* c */ FROM STDIN': `COPY BINARY public . v (${list}) /* c */ FROM STDIN`,
    'COPY "v"FROM STDIN': `COPY "v" (${list})FROM STDIN`,
    'COPY U&"!0076" UESCAPE \'!\' TO STDOUT': `COPY U&"!0076" UESCAPE '!' (${list}) TO STDOUT`,
    'SELECT 1; COPY v FROM STDIN; COPY v TO STDOUT': `SELECT 1; COPY v (${list}) FROM STDIN; COPY v (${list}) TO STDOUT`,
    'COPY v (id) FROM STDIN': 'COPY v (id) FROM STDIN',
    'COPY other FROM STDIN': 'COPY other FROM STDIN',
  };
  for (const [sql, expected] of Object.entries(texts)) t.equal(shownText(sql, planOf(sql)), expected);
});

t.test('tells which cells are whose', async (t) => {
  t.same(outputsOf('COPY v (email, id, secret) FROM STDIN'), [['email', 'unprotected', 'secret']]);
  t.same(outputsOf('COPY v (id) FROM STDIN'), [['unprotected']], 'whose rows are counted');
  t.same(outputsOf('COPY v (id) TO STDOUT'), [undefined]);
  t.same(outputsOf('COPY (SELECT o.*, email AS e FROM other o, v) TO STDOUT'), [['unknown-star', 'email']]);
  t.same(outputsOf('COPY (SELECT id FROM v) TO STDOUT'), [undefined]);
  t.same(outputsOf("COPY other FROM '/tmp/file'; COPY other FROM STDIN; COPY v (id, secret) TO STDOUT"), [
    undefined,
    ['unprotected', 'secret'],
  ]);
  const streams = planOf('COPY other FROM STDIN; SELECT 1; COPY v TO STDOUT').streams;
  t.match(streams, [
    { at: 0, direction: 'in' },
    { at: 2, direction: 'out' },
  ]);
});

t.test('reads options of both kinds', async (t) => {
  const optionsOf = (options: string) => planOf(`COPY v (id) FROM STDIN ${options}`).streams[0]?.content;
  t.match(optionsOf(''), {
    options: { format: 'text', delimiter: '\t', nullText: '\\N', header: 'none' },
    skipsBadRows: false,
  });
  t.match(optionsOf('(FORMAT csv)'), {
    options: { format: 'csv', delimiter: ',', nullText: '', quote: '"', escape: '"' },
  });
  t.match(
    optionsOf("DELIMITERS ';' NULL AS 'n' CSV HEADER QUOTE '''' ESCAPE AS '\\' FORCE NOT NULL a, b FORCE NULL c"),
    {
      options: {
        format: 'csv',
        delimiter: ';',
        nullText: 'n',
        header: 'skip',
        quote: "'",
        escape: '\\',
        forceNotNull: ['a', 'b'],
        forceNull: ['c'],
      },
    },
  );
  t.match(
    optionsOf("(FORMAT csv, FORCE_NULL *, FORCE_NOT_NULL (a), DEFAULT 'd', HEADER match, ENCODING 'UTF-8', FREEZE)"),
    {
      options: { forceNull: 'all', forceNotNull: ['a'], defaultText: 'd', header: 'match' },
    },
  );
  for (const [header, expected] of [
    ['HEADER', 'skip'],
    ['HEADER 0', 'none'],
    ['HEADER 1', 'skip'],
    ['HEADER OFF', 'none'],
    ["HEADER 'Match'", 'match'],
  ] as const) {
    t.equal(optionsOf(`(${header})`)?.options.header, expected, header);
  }
  t.equal(optionsOf("(NULL '')")?.options.nullText, '');
  t.equal(optionsOf('(ON_ERROR IGNORE, REJECT_LIMIT 3, LOG_VERBOSITY silent)')?.skipsBadRows, true);
  t.equal(optionsOf('(ON_ERROR stop)')?.skipsBadRows, false);
  t.equal(optionsOf('BINARY')?.options.format, 'binary');
});

t.test('refuses what it cannot do exactly', async (t) => {
  const refused: Readonly<Record<string, string>> = {
    "COPY v FROM '/tmp/file'": '0A000',
    "COPY v (id) TO '/tmp/file'": '0A000',
    "COPY v FROM PROGRAM 'cat'": '0A000',
    "COPY (SELECT email FROM v) TO '/tmp/file'": '0A000',
    'COPY v FROM STDIN WHERE secret IS NULL': '0A000',
    "COPY v FROM STDIN WHERE v.email = 'p'": '0A000',
    'COPY v FROM STDIN WHERE v IS NOT NULL': '0A000',
    'COPY v FROM STDIN (ENCODING latin1)': '0A000',
    "COPY v FROM STDIN (FORMAT 'TEXT')": '0A000',
    'COPY v FROM STDIN (HEADER 2)': '0A000',
    "COPY v FROM STDIN (ON_ERROR 'set_null')": '0A000',
    'COPY v FROM STDIN (SOMETHING new)': '0A000',
    "COPY v FROM STDIN (DELIMITER 'ab')": '22023',
    "COPY v TO STDOUT (FORMAT csv, QUOTE '')": '22023',
    'COPY (SELECT lower(secret) FROM v) TO STDOUT': '0A000',
    "COPY (INSERT INTO v (secret) VALUES (lower('p')) RETURNING id) TO STDOUT": '0A000',
  };
  for (const [sql, state] of Object.entries(refused)) t.match(judged(sql), { kind: 'refused', sqlState: state }, sql);
  for (const sql of [
    'COPY other FROM STDIN (SOMETHING new)',
    "COPY other TO '/tmp/file'",
    'COPY v FROM STDIN WHERE id > 1',
  ])
    t.match(judged(sql), { kind: 'passes' }, sql);
});
