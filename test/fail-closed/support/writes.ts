/** Forms that store values of protected columns. */
import { COPIED_IN } from './copies.ts';
import { BEFORE, type Form, insert, MARKER, OTHER, refused, STORED, withValues } from './form.ts';

const [FIRST, SECOND] = BEFORE;

export const WRITES: Readonly<Record<string, Form>> = {
  'INSERT … VALUES': insert(`INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', '${STORED}')`),
  'INSERT … VALUES, parameters': withValues(
    insert('INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $4)', { 9: [OTHER, STORED] }),
    9,
    'n',
    OTHER,
    STORED,
  ),
  'INSERT without columns': insert(`INSERT INTO patients VALUES (9, 'n', '${OTHER}', '${STORED}')`, {
    9: [OTHER, STORED],
  }),
  'INSERT of several rows': insert(
    `INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', '${STORED}'), (10, 'n', '${OTHER}')`,
    { 9: [null, STORED], 10: [null, OTHER] },
  ),
  'INSERT … ON CONFLICT DO NOTHING': insert(
    `INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', '${STORED}') ON CONFLICT DO NOTHING`,
  ),
  'INSERT … ON CONFLICT DO NOTHING, parameters': withValues(
    insert('INSERT INTO patients (id, name, diagnosis) VALUES (9, $1, $2) ON CONFLICT DO NOTHING'),
    'n',
    STORED,
  ),
  'INSERT … ON CONFLICT DO UPDATE': insert(
    `INSERT INTO patients (id, name, diagnosis) VALUES (1, 'n', 'x') ON CONFLICT (id) DO UPDATE SET diagnosis = '${STORED}'`,
    { 1: [FIRST, STORED] },
  ),
  'INSERT … ON CONFLICT DO UPDATE … excluded': withValues(
    insert(
      'INSERT INTO patients (id, name, diagnosis) VALUES (1, $1, $2) ON CONFLICT (id) DO UPDATE SET diagnosis = excluded.diagnosis',
      { 1: [FIRST, STORED] },
    ),
    'n',
    STORED,
  ),
  'WITH … INSERT': insert(
    `WITH x AS (SELECT 'n' AS name) INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', '${STORED}')`,
  ),
  'INSERT inside WITH': {
    ...insert(
      `WITH x AS (INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', '${STORED}') RETURNING id, diagnosis) SELECT * FROM x`,
    ),
    rows: [{ id: 9, diagnosis: STORED }],
  },
  'several statements in one text': {
    ...insert(`SELECT 1; INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', '${STORED}')`),
    isSimpleOnly: true,
  },
  'BEGIN; INSERT; COMMIT in one text': {
    ...insert(`BEGIN; INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', '${STORED}'); COMMIT`),
    isSimpleOnly: true,
  },
  'INSERT … SELECT of constants': insert(`INSERT INTO patients (id, name, diagnosis) SELECT 9, 'n', '${STORED}'`),
  'INSERT … SELECT of parameters': withValues(
    insert('INSERT INTO patients (id, name, diagnosis) SELECT 9, $1, $2'),
    'n',
    STORED,
  ),
  'INSERT … SELECT … UNION ALL': insert(
    `INSERT INTO patients (id, name, diagnosis) SELECT 9, 'n', '${STORED}' UNION ALL SELECT 10, 'n', '${OTHER}'`,
    { 9: [null, STORED], 10: [null, OTHER] },
  ),
  'INSERT … SELECT of its own columns': insert(
    'INSERT INTO patients (id, name, email, diagnosis) SELECT id + 8, name, email, diagnosis FROM patients WHERE id = 1',
    { 9: [FIRST, FIRST] },
  ),
  'INSERT … SELECT of a table that is not configured': refused(
    `INSERT INTO patients (id, name, diagnosis) SELECT 9, 'n', note::bytea FROM (SELECT concat('${STORED}') AS note) other`,
  ),
  'INSERT … SELECT of a literal in a sub-select, cast': insert(
    `INSERT INTO patients (id, name, diagnosis) SELECT 9, 'n', note::bytea FROM (SELECT '${STORED}' AS note) other`,
  ),
  "'…'::bytea": insert(`INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', '${STORED}'::bytea)`),
  '\'…\'::"bytea"': insert(`INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', '${STORED}'::"bytea")`),
  "CAST('…' AS bytea)": insert(
    `INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', CAST('${STORED}' AS bytea))`,
  ),
  "'…'::text": insert(`INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', '${STORED}'::text)`),
  "text '…'": insert(`INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', text '${STORED}')`),
  'cast($1 AS bytea)': withValues(
    insert("INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', cast($1 AS bytea))"),
    STORED,
  ),
  '$1::text': withValues(insert("INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', $1::text)"), STORED),
  '$$…$$': insert(`INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', $$${STORED}$$)`),
  "E'…'": insert(`INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', E'${STORED}')`),
  "U&'…'": insert(`INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', U&'${STORED}')`),
  'a literal that goes on in the next line': insert(
    `INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', '${MARKER}'\n'-stored')`,
  ),
  CASE: insert(
    `INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', CASE WHEN true THEN '${STORED}' ELSE '${OTHER}' END)`,
  ),
  COALESCE: withValues(
    insert(`INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', COALESCE($1, '${OTHER}'))`),
    STORED,
  ),
  'INSERT INTO t AS a': insert(`INSERT INTO patients AS a (id, name, diagnosis) VALUES (9, 'n', '${STORED}')`),
  'OVERRIDING SYSTEM VALUE': insert(
    `INSERT INTO patients (id, name, diagnosis) OVERRIDING SYSTEM VALUE VALUES (9, 'n', '${STORED}')`,
  ),
  'U&"patients" as the table': insert(`INSERT INTO U&"patients" (id, name, diagnosis) VALUES (9, 'n', '${STORED}')`),
  'a nested comment': insert(
    `INSERT INTO patients (id, name, diagnosis) /* a /* nested */ comment */ VALUES (9, 'n', '${STORED}')`,
  ),
  'a function around the value': refused(
    `INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', convert_to('${STORED}', 'UTF8'))`,
  ),
  'decode()': refused(
    `INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', decode('${Buffer.from(STORED).toString('hex')}', 'hex'))`,
  ),
  "'…' || '…'": refused(`INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', ('${MARKER}' || '-x')::bytea)`),
  UPDATE: insert(`UPDATE patients SET diagnosis = '${STORED}' WHERE id = 1`, { 1: [FIRST, STORED] }),
  'UPDATE SET (a, b) = (…)': insert(`UPDATE patients SET (name, diagnosis) = ('n', '${STORED}') WHERE id = 1`, {
    1: [FIRST, STORED],
  }),
  'UPDATE SET (a, b) = ($1, $2)': withValues(
    insert('UPDATE patients SET (email, diagnosis) = ($1, $2) WHERE id = 1', { 1: [OTHER, STORED] }),
    OTHER,
    STORED,
  ),
  'UPDATE SET (a, b) = (SELECT …)': insert(
    `UPDATE patients SET (name, diagnosis) = (SELECT 'n', '${STORED}') WHERE id = 1`,
    { 1: [FIRST, STORED] },
  ),
  'UPDATE ONLY': insert(`UPDATE ONLY patients SET diagnosis = '${STORED}' WHERE id = 1`, { 1: [FIRST, STORED] }),
  'UPDATE inside WITH': insert(
    `WITH x AS (UPDATE patients SET diagnosis = '${STORED}' WHERE id = 1 RETURNING id) SELECT * FROM x`,
    { 1: [FIRST, STORED] },
  ),
  'UPDATE … WHERE … IS NOT DISTINCT FROM': insert(
    `UPDATE patients SET diagnosis = '${STORED}' WHERE name IS NOT DISTINCT FROM 'n1'`,
    { 1: [FIRST, STORED] },
  ),
  'UPDATE … WHERE extract(…)': insert(
    `UPDATE patients SET diagnosis = '${STORED}' WHERE id = 1 AND extract(year FROM now()) > 2000`,
    { 1: [FIRST, STORED] },
  ),
  'UPDATE … FROM': insert(
    `UPDATE patients p SET diagnosis = '${STORED}' FROM (VALUES (1)) AS x(id) WHERE p.id = x.id`,
    { 1: [FIRST, STORED] },
  ),
  'UPDATE … FROM (VALUES …)': withValues(
    insert(
      `UPDATE patients p SET diagnosis = x.d FROM (VALUES (1, '${STORED}'), (2, $1), (3, NULL)) AS x(id, d) WHERE p.id = x.id`,
      { 1: [FIRST, STORED], 2: [SECOND, OTHER] },
    ),
    OTHER,
  ),
  'INSERT … SELECT of a query with VALUES': insert(
    `WITH x (id, d) AS (VALUES (9, '${STORED}'), (10, NULL)) INSERT INTO patients (id, name, diagnosis) SELECT id, 'n', d FROM x`,
    { 9: [null, STORED], 10: [null, null] },
  ),
  'unnest beside other rows': refused(
    `INSERT INTO patients (id, name, diagnosis) SELECT 9, 'n', s FROM (SELECT * FROM unnest($1::bytea[]) AS u(s) UNION ALL SELECT '${STORED}') d`,
    [[OTHER]],
  ),
  'UPDATE SET a = a of another column': refused('UPDATE patients SET diagnosis = email WHERE id = 1'),
  'UPDATE SET unprotected = protected': refused('UPDATE patients SET name = diagnosis WHERE id = 1'),
  MERGE: insert(
    `MERGE INTO patients p USING (VALUES (1), (9)) AS x(id) ON p.id = x.id
       WHEN MATCHED THEN UPDATE SET diagnosis = '${OTHER}'
       WHEN NOT MATCHED THEN INSERT (id, name, diagnosis) VALUES (x.id, 'n', '${STORED}')`,
    { 1: [FIRST, OTHER], 9: [null, STORED] },
  ),
  'MERGE … ON a searchable column': withValues(
    insert(
      `MERGE INTO patients p USING (VALUES ($1, $2), ('${OTHER}', '${STORED}')) AS x(email, diagnosis) ON p.email = x.email
       WHEN MATCHED THEN UPDATE SET diagnosis = x.diagnosis
       WHEN NOT MATCHED THEN INSERT (id, name, email, diagnosis) VALUES (9, 'n', x.email, x.diagnosis)`,
      { 1: [FIRST, STORED], 2: [SECOND, SECOND], 9: [OTHER, STORED] },
    ),
    FIRST,
    STORED,
  ),
  'MERGE … USING (SELECT $1 …)': withValues(
    insert(
      `MERGE INTO patients p USING (SELECT $1 AS email, $2 AS diagnosis) AS x ON x.email = p.email
       WHEN MATCHED THEN UPDATE SET diagnosis = x.diagnosis WHEN NOT MATCHED THEN DO NOTHING`,
      { 1: [FIRST, STORED] },
    ),
    FIRST,
    STORED,
  ),
  'ON CONFLICT (searchable) without a unique index': refused(
    `INSERT INTO patients (id, name, email) VALUES (9, 'n', '${STORED}') ON CONFLICT (email) DO NOTHING`,
  ),
  DO: refused(`DO $$ BEGIN INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', '${STORED}'); END $$`),
  'CREATE FUNCTION': refused(
    `CREATE FUNCTION spoil() RETURNS void LANGUAGE sql AS $$ UPDATE patients SET diagnosis = '${STORED}' $$`,
  ),
  'CREATE RULE': refused(
    `CREATE RULE spoil AS ON DELETE TO patients DO INSTEAD UPDATE patients SET diagnosis = '${STORED}'`,
  ),
  'ALTER TABLE … SET DEFAULT': refused(`ALTER TABLE patients ALTER diagnosis SET DEFAULT '${STORED}'`),
  'CREATE INDEX ON t (column)': refused('CREATE UNIQUE INDEX ON patients (email)'),
  'ALTER TABLE … ADD UNIQUE': refused('ALTER TABLE patients ADD UNIQUE (email)'),
  ...COPIED_IN,
  'EXPLAIN ANALYZE INSERT': insert(
    `EXPLAIN ANALYZE INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', '${STORED}')`,
  ),
  'unnest($1) as a value': refused(`INSERT INTO patients (id, name, diagnosis) SELECT 9, 'n', unnest($1::bytea[])`, [
    [STORED],
  ]),
  'UPDATE … FROM (VALUES …), cast': insert(
    `UPDATE patients p SET diagnosis = x.d::text FROM (VALUES (1, '${STORED}'), (2, '${OTHER}')) AS x(id, d) WHERE p.id = x.id`,
    { 1: [FIRST, STORED], 2: [SECOND, OTHER] },
  ),
  'INSERT … SELECT of a query with VALUES, cast': withValues(
    insert(
      `WITH x (id, d) AS (VALUES (9, $1), (10, NULL)), y AS (SELECT id, d::text AS e FROM x) INSERT INTO patients (id, name, diagnosis) SELECT id, 'n', e FROM y`,
      { 9: [null, STORED], 10: [null, null] },
    ),
    STORED,
  ),
  'unnest($1) WITH ORDINALITY': withValues(
    insert(
      `INSERT INTO patients (id, name, diagnosis) SELECT n + 8, 'n', s FROM unnest($1::text[]) WITH ORDINALITY AS u(s, n)`,
      { 9: [null, STORED], 10: [null, OTHER] },
    ),
    [STORED, OTHER],
  ),
  'ROWS FROM (unnest($1), …)': withValues(
    insert(
      `INSERT INTO patients (id, name, diagnosis) SELECT i, 'n', s::text FROM ROWS FROM (unnest($1::int[]), unnest($2::text[])) AS u(i, s)`,
      { 9: [null, STORED], 10: [null, OTHER] },
    ),
    [9, 10],
    [STORED, OTHER],
  ),
  "SELECT * FROM unnest('{…}', …)": insert(
    `INSERT INTO patients (id, name, diagnosis) SELECT * FROM UNNEST(('{9,10}')::integer[], ('{n,n}')::text[], ('{"${STORED}",${OTHER}}')::text[])`,
    { 9: [null, STORED], 10: [null, OTHER] },
  ),
  'SELECT * FROM unnest($1, …)': withValues(
    insert('INSERT INTO patients (id, name, diagnosis) SELECT * FROM unnest($1::int[], $2::text[], $3::text[])', {
      9: [null, STORED],
      10: [null, OTHER],
    }),
    [9, 10],
    ['n', 'n'],
    [STORED, OTHER],
  ),
  'the same $1 in two columns': withValues(
    insert("INSERT INTO patients (id, name, email, diagnosis) VALUES (9, 'n', $1, $1)", { 9: [STORED, STORED] }),
    STORED,
  ),
  'now()::text beside a protected $n': withValues(
    insert('INSERT INTO patients (id, name, diagnosis) VALUES (9, now()::text, $1)'),
    STORED,
  ),
  'ARRAY[…] beside a protected $n': withValues(
    insert('INSERT INTO patients (id, name, diagnosis) VALUES (9, (ARRAY[$2::text])[1], $1)'),
    STORED,
    'n',
  ),
  'AT TIME ZONE beside a protected $n': withValues(
    insert("INSERT INTO patients (id, name, diagnosis) VALUES (9, (now() AT TIME ZONE 'UTC')::text, $1)"),
    STORED,
  ),
  "$2::jsonb->>'a' beside a protected $n": withValues(
    insert("INSERT INTO patients (id, name, diagnosis) VALUES (9, $2::jsonb->>'a', $1)"),
    STORED,
    '{"a":"n"}',
  ),
  'quoted and upper-case names': insert(`INSERT INTO "patients" (ID, Name, "diagnosis") VALUES (9, 'n', '${STORED}')`),
  'PREPARE and EXECUTE': {
    ...insert(
      `DEALLOCATE ALL; PREPARE p AS INSERT INTO patients (id, name, diagnosis) VALUES ($1, 'n', $2); EXECUTE p(9, '${STORED}')`,
    ),
    isSimpleOnly: true,
  },
  RETURNING: {
    ...insert(`INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', '${STORED}') RETURNING id, diagnosis`),
    rows: [{ id: 9, diagnosis: STORED }],
  },
  'RETURNING old and new': {
    ...insert(
      `UPDATE patients SET diagnosis = '${STORED}' WHERE id = 1 RETURNING old.diagnosis AS before, new.diagnosis AS after`,
      { 1: [FIRST, STORED] },
    ),
    rows: [{ before: FIRST, after: STORED }],
  },
  DEFAULT: insert("INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', DEFAULT)", { 9: [null, null] }),
};
