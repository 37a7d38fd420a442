/** Forms that compare and read protected columns. */
import { BEFORE, type Form, found, OTHER, refused } from './form.ts';

const [FIRST, SECOND] = BEFORE;

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
