/**
 * Forms of statements that store or compare values of protected columns (`email`, searchable, and `diagnosis` of `patients`). Values
 * contain MARKER, so that one that gets anywhere in plaintext is found.
 */
export const MARKER = 'PLAINTEXT';

const value = (name: string) => `${MARKER}-${name}`;
export const STORED = value('stored');
export const OTHER = value('other');
/** Of the rows that are there before each form: email and diagnosis. */
export const BEFORE = [value('first'), value('second')] as const;

export interface Form {
  readonly sql: string;
  /** By number; a form without parameters has literals in the text. */
  readonly values?: readonly unknown[];
  /** What becomes of it: its values are stored encrypted, or compared by their hashes, and its rows come back as they should; or not. */
  readonly ends: 'works' | 'refused';
  /** What it must give back. */
  readonly rows?: readonly object[];
  /** Rows by id that must be there afterwards, read through the enclave: email and diagnosis. */
  readonly leaves?: Readonly<Record<number, readonly [string | null, string | null]>>;
  /** A value is also for a column that is not protected. */
  readonly saysInClear?: true;
  /** A text of several statements, which only the simple protocol takes. */
  readonly isSimpleOnly?: true;
}

const [FIRST, SECOND] = BEFORE;
const insert = (sql: string, leaves: Form['leaves'] = { 9: [null, STORED] }): Form => ({ sql, ends: 'works', leaves });
const refused = (sql: string, values?: readonly unknown[]): Form => ({
  sql,
  ends: 'refused',
  ...(values && { values }),
});
const found = (where: string, ids: readonly number[], values?: readonly unknown[]): Form => ({
  sql: `SELECT id FROM patients WHERE ${where} ORDER BY id`,
  ends: 'works',
  rows: ids.map((id) => ({ id })),
  ...(values && { values }),
});
const withValues = (form: Form, ...values: readonly unknown[]): Form => ({ ...form, values });

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
  'UPDATE SET a = a of another column': refused('UPDATE patients SET diagnosis = email WHERE id = 1'),
  'UPDATE SET unprotected = protected': refused('UPDATE patients SET name = diagnosis WHERE id = 1'),
  MERGE: insert(
    `MERGE INTO patients p USING (VALUES (1), (9)) AS x(id) ON p.id = x.id
       WHEN MATCHED THEN UPDATE SET diagnosis = '${OTHER}'
       WHEN NOT MATCHED THEN INSERT (id, name, diagnosis) VALUES (x.id, 'n', '${STORED}')`,
    { 1: [FIRST, OTHER], 9: [null, STORED] },
  ),
  DO: refused(`DO $$ BEGIN INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', '${STORED}'); END $$`),
  'COPY FROM STDIN': refused('COPY patients (id, name, diagnosis) FROM STDIN'),
  'EXPLAIN ANALYZE INSERT': insert(
    `EXPLAIN ANALYZE INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', '${STORED}')`,
  ),
  'unnest($1) as a value': refused(`INSERT INTO patients (id, name, diagnosis) SELECT 9, 'n', unnest($1::bytea[])`, [
    [STORED],
  ]),
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
      `PREPARE p AS INSERT INTO patients (id, name, diagnosis) VALUES ($1, 'n', $2); EXECUTE p(9, '${STORED}')`,
    ),
    ends: 'refused',
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

export const SEARCHES: Readonly<Record<string, Form>> = {
  '=': found(`email = '${FIRST}'`, [1]),
  '= $1': found('email = $1', [1], [FIRST]),
  '<>': found(`email <> '${FIRST}'`, [2]),
  'value = column': found(`'${FIRST}' = email`, [1]),
  parentheses: found(`(email) = ('${FIRST}')`, [1]),
  IN: found(`email IN ('${FIRST}', '${SECOND}')`, [1, 2]),
  'IN ($1, $2)': found('email IN ($1, $2)', [1, 2], [FIRST, SECOND]),
  'NOT IN': found(`email NOT IN ('${FIRST}')`, [2]),
  '= ANY($1)': found('email = ANY($1)', [1, 2], [[FIRST, SECOND]]),
  '= ANY(ARRAY[…])': found(`email = ANY(ARRAY['${FIRST}', '${OTHER}'])`, [1]),
  'IS NOT DISTINCT FROM': found(`email IS NOT DISTINCT FROM '${FIRST}'`, [1]),
  'the same $1 for two columns': { ...found('email = $1 OR name = $1', [1], [FIRST]), saysInClear: true },
  'column::text = value': found(`email::text = '${FIRST}'`, [1]),
  rows: found(`(id, email) = (1, '${FIRST}')`, [1]),
  'inside EXISTS': found(`EXISTS (SELECT 1 FROM patients x WHERE x.id = patients.id AND x.email = '${FIRST}')`, [1]),
  'inside IN (SELECT …)': found(`id IN (SELECT x.id FROM patients x WHERE x.email = $1)`, [1], [FIRST]),
  'in a sub-select': {
    sql: `SELECT id FROM (SELECT id, email AS e FROM patients) d WHERE d.e = '${FIRST}'`,
    ends: 'works',
    rows: [{ id: 1 }],
  },
  'in a CTE': {
    sql: `WITH d AS (SELECT * FROM patients WHERE email = '${FIRST}') SELECT id, email FROM d`,
    ends: 'works',
    rows: [{ id: 1, email: FIRST }],
  },
  'UNION ALL': {
    sql: `SELECT email FROM patients WHERE email = '${FIRST}' UNION ALL SELECT email FROM patients WHERE email = '${SECOND}'`,
    ends: 'works',
    rows: [{ email: FIRST }, { email: SECOND }],
  },
  'join of two searchable columns': {
    sql: 'SELECT a.id FROM patients a JOIN patients b ON a.email = b.email ORDER BY a.id',
    ends: 'works',
    rows: [{ id: 1 }, { id: 2 }],
  },
  'count(column)': { sql: 'SELECT count(email)::int AS n FROM patients', ends: 'works', rows: [{ n: 2 }] },
  'IS NULL': found('email IS NULL', []),
  'DELETE … RETURNING': {
    sql: `DELETE FROM patients WHERE email = '${FIRST}' RETURNING id, email`,
    ends: 'works',
    rows: [{ id: 1, email: FIRST }],
  },
  'a column that is not searchable': refused(`SELECT id FROM patients WHERE diagnosis = '${FIRST}'`),
  LIKE: refused(`SELECT id FROM patients WHERE email LIKE '${FIRST}%'`),
  '<': refused(`SELECT id FROM patients WHERE email < '${FIRST}'`),
  BETWEEN: refused(`SELECT id FROM patients WHERE email BETWEEN '${FIRST}' AND '${SECOND}'`),
  'lower(column) = value': refused(`SELECT id FROM patients WHERE lower(email) = '${FIRST}'`),
  'column = lower(value)': refused(`SELECT id FROM patients WHERE email = lower('${FIRST}')`),
  'ORDER BY': refused('SELECT id FROM patients ORDER BY email'),
  'GROUP BY': refused('SELECT count(*) FROM patients GROUP BY email'),
  DISTINCT: refused('SELECT DISTINCT email FROM patients'),
  UNION: refused('SELECT email FROM patients UNION SELECT email FROM patients'),
  'min(column)': refused('SELECT min(email) FROM patients'),
  'column || …': refused("SELECT diagnosis || 'x' FROM patients"),
  'JOIN … USING (column)': refused('SELECT a.id FROM patients a JOIN patients b USING (email)'),
  'a whole row': refused('SELECT row_to_json(patients) FROM patients'),
};
