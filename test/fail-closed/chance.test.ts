/**
 * Statements by chance through the guard, and the same on plain columns: the answer and the table are equal, or the statement is refused.
 * FAIL_CLOSED_CASES and FAIL_CLOSED_SEED say how many and which.
 */
import * as fc from 'fast-check';
import type pg from 'pg';
import t from 'tap';
import { guardedPlace } from './support/place.ts';
import { type Session, wasSeen } from './support/run-form.ts';
import { type Chance, chance } from './support/statements.ts';

const CASES = Number(process.env['FAIL_CLOSED_CASES'] ?? 300);
const SEED = Number(process.env['FAIL_CLOSED_SEED'] ?? 29);
/** So often both tables begin anew. */
const FRESH_EVERY = 25;
const TOLD_EVERY = 2_000;
const PLAIN = `
CREATE TABLE plain (id integer PRIMARY KEY, name text NOT NULL, email text, diagnosis text);
`;

interface Answer {
  readonly rows: readonly object[];
  readonly count: number | null;
  /** The SQLSTATE, where it failed. */
  readonly failed: string | undefined;
  readonly isRefused: boolean;
}

/** What a write returns has none of its own. */
function inOrder(sql: string, rows: readonly object[]): readonly object[] {
  if (sql.startsWith('SELECT')) return rows;
  return rows.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

async function ask(client: pg.Client | Session, { sql, values }: Chance, mode: number): Promise<Answer> {
  const config = { text: sql, values: [...values], queryMode: 'extended' };
  try {
    const asked =
      mode % 3 === 0 && values.length === 0 ? sql : mode % 3 === 1 ? { ...config, name: `chance ${mode}` } : config;
    const { rows, rowCount } = await client.query(asked);
    return { rows: inOrder(sql, rows), count: rowCount, failed: undefined, isRefused: false };
  } catch (error) {
    const { code = '', message } = error as pg.DatabaseError;
    return { rows: [], count: null, failed: code, isRefused: message.startsWith('refused by acra-enclave') };
  }
}

t.test('gives what plain columns would, or refuses', async (t) => {
  const { application, owner, heard } = await guardedPlace(t);
  await owner.query(PLAIN);
  const content = async (client: pg.Client, table: string) =>
    (await client.query(`SELECT id, name, email, diagnosis FROM ${table} ORDER BY id`)).rows;
  const samples = fc.sample(chance, { numRuns: CASES, seed: SEED });
  const ends = { equal: 0, refused: 0, failed: 0 };
  let from = heard.length;
  for (const [index, guarded] of samples.entries()) {
    if (index % FRESH_EVERY === 0) await owner.query('DELETE FROM patients; DELETE FROM plain');
    const plain = { ...guarded, sql: guarded.sql.replaceAll('patients', 'plain') };
    const own = await ask(application, guarded, index);
    const told = `case ${index} of seed ${SEED}: ${guarded.sql} -- ${JSON.stringify(guarded.values)}`;
    if (wasSeen(heard.slice(from))) return t.fail(`plaintext was sent, ${told}`);
    from = heard.length;
    if (own.isRefused) {
      ends.refused += 1;
      continue;
    }
    const theirs = await ask(owner, plain, index);
    const [here, there] = [await content(application, 'patients'), await content(owner, 'plain')];
    from = heard.length;
    const isEqual = JSON.stringify([own, here]) === JSON.stringify([theirs, there]);
    if (!isEqual) {
      t.same([own, here], [theirs, there], told);
      return undefined;
    }
    ends[own.failed === undefined ? 'equal' : 'failed'] += 1;
    if (index % TOLD_EVERY === TOLD_EVERY - 1) t.comment(`${index + 1} cases: ${JSON.stringify(ends)}`);
  }
  t.comment(JSON.stringify(ends));
  t.ok(ends.equal > CASES / 3 && ends.refused > 0, 'both ends are met');
  return undefined;
});
