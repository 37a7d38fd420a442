/** Gives a marked value to relations and functions of a real database in every plain way, and looks whether a protected table has it. */
import type pg from 'pg';

const MARKER = 'MARKED-VALUE';
const HEX = Buffer.from(MARKER).toString('hex');

/** What would refuse the value for another reason than where it comes from. */
const WITHOUT_BELTS = `ALTER TABLE patients DROP CONSTRAINT IF EXISTS patients_email_check, DROP CONSTRAINT IF EXISTS patients_diagnosis_check,
  DROP CONSTRAINT IF EXISTS patients_pkey CASCADE, ALTER name DROP NOT NULL`;

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

async function writesTo(client: pg.Client, relation: string): Promise<string[]> {
  const { rows } = await client.query<{ schema: string; columns: string[] }>(
    `SELECT table_schema AS schema, array_agg(column_name::text) AS columns FROM information_schema.columns
     WHERE table_name = $1 AND is_generated = 'NEVER' GROUP BY 1`,
    [relation],
  );
  return rows.flatMap(({ schema, columns }) => {
    const table = `${quoted(schema)}.${quoted(relation)}`;
    const others = columns.filter((column) => column !== 'id').map(quoted);
    const values = others.map(() => `'${MARKER}'`).join(', ');
    const rowValues = others.map(() => `'(${MARKER})'`).join(', ');
    return [
      `INSERT INTO ${table} (${others.join(', ')}) VALUES (${values})`,
      `INSERT INTO ${table} (${['id', ...others].join(', ')}) VALUES (${[77, values].join(', ')})`,
      `INSERT INTO ${table} (${['id', ...others].join(', ')}) VALUES (${[78, rowValues].join(', ')})`,
      `INSERT INTO ${table} (${others.join(', ')}) VALUES (${rowValues})`,
      ...others.flatMap((column) => [
        `INSERT INTO ${table} (${column}) VALUES ('${MARKER}')`,
        `UPDATE ${table} SET ${column} = '${MARKER}'`,
        `DELETE FROM ${table} WHERE ${column} = '${MARKER}'`,
      ]),
    ];
  });
}

async function callsOf(client: pg.Client, name: string): Promise<string[]> {
  const { rows } = await client.query<{ schema: string; count: number }>(
    `SELECT n.nspname AS schema, p.pronargs::int AS count FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proname = $1`,
    [name],
  );
  return rows.flatMap(({ schema, count }) => {
    const values = Array.from({ length: count }, () => `'${MARKER}'`).join(', ');
    const call = `${quoted(schema)}.${quoted(name)}(${values})`;
    return [`SELECT ${call}`, `SELECT * FROM ${call}`, `CALL ${call}`];
  });
}

/** Whether any of it brings the value into a protected table, or what inherits from one. */
export async function getsThrough(
  client: pg.Client,
  { relations, functions }: { readonly relations: readonly string[]; readonly functions: readonly string[] },
): Promise<readonly string[]> {
  await client.query(WITHOUT_BELTS).catch(() => undefined);
  const statements: string[] = [];
  for (const name of relations) statements.push(...(await writesTo(client, name)));
  for (const name of functions) statements.push(...(await callsOf(client, name)));
  const through: string[] = [];
  for (const sql of statements) {
    await client.query('BEGIN');
    const isDone = await client.query(sql).then(
      () => true,
      () => false,
    );
    if (isDone) {
      const { rows } = await client.query<{ row: string }>('SELECT patients::text AS row FROM public.patients');
      if (rows.some(({ row }) => row.includes(MARKER) || row.includes(HEX))) through.push(sql);
    }
    await client.query('ROLLBACK');
  }
  return through;
}
