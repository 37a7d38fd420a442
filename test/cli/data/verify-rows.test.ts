/** `data verify` proves a table, and no part of it. */

import t from 'tap';
import type { Connection } from '../../../cli/data/connection.ts';
import { LongValue } from '../../../cli/data/long-value.ts';
import { Pages } from '../../../cli/data/page.ts';
import { verifyPage } from '../../../cli/data/verify/verify-page.ts';
import { columnOf } from '../../acra/support/columns.ts';
import { migrating, SEARCHABLE } from './support/migrating.ts';

const TABLE = 'CREATE TABLE patients (id int PRIMARY KEY, name text, ward text)';

t.test('rejects a table of which row security hides rows', async (t) => {
  const { owner, prepare, encrypt, verify } = await migrating(t, SEARCHABLE, TABLE);
  await owner.query("INSERT INTO patients SELECT g, 'name ' || g, 'A' FROM generate_series(1, 9) g");
  await prepare();
  await encrypt({ old: 'drop' });
  t.match(await verify(), { outcome: 'proved', rows: 9, values: 9 });
  await owner.query('ALTER TABLE patients ENABLE ROW LEVEL SECURITY; ALTER TABLE patients FORCE ROW LEVEL SECURITY');
  await owner.query('CREATE POLICY few ON patients USING (id < 3)');
  await t.rejects(verify(), { code: 'CLI_DATA_REFUSED', found: /^42501 .*row-level security/ });
});

const KEY = ['1', '2', '3'];
/** Of one column; `rows` is what each page has. */
function lying(rows: readonly (readonly [string, string | null])[]): Connection {
  return {
    each: async (sql, _values, onRow) => {
      if (sql.startsWith('SELECT t."id"')) for (const row of rows) onRow([...row]);
      if (sql.includes('pg_export_snapshot')) onRow(['00000003-00000001-1']);
    },
    cell: async () => undefined,
    end: async () => undefined,
  };
}

t.test('finds rows and values that a database shows in one session alone', async (t) => {
  const column = columnOf({ table: 'patients', name: 'name' });
  const migration = { table: 'patients', column: 'name', beside: 'b', old: 'o' };
  const table = { schema: 'public', migration, key: [{ name: 'id', type: 'integer' }] };
  const opened = lying(KEY.map((id) => [id, 'name']));
  const stored = lying([
    ['1', null],
    ['3', '\\x'],
    ['4', null],
  ]);
  const pages = new Pages({ table, columns: ['t."name"'] }, { maxRows: 100, maxBytes: 1_000 });
  const views = { opened, stored, end: async () => undefined };
  const { offenders } = await verifyPage({ table, columns: [column], long: new LongValue() }, views, pages, undefined);
  t.same(
    offenders.map(({ key, fault }) => [...key, fault]),
    [
      ['1', 'unlike'],
      ['3', 'unlike'],
      ['4', 'unlike'],
      ['2', 'unlike'],
    ],
  );
});
