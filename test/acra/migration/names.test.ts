/** What a migration makes in the database has names of its own (decision 21). */
import t from 'tap';
import {
  hashIndexName,
  insertTriggerName,
  notNullName,
  restIndexName,
  triggerName,
} from '../../../acra/migration/names.ts';

const of = (table: string, column: string) => ({
  table,
  column,
  beside: `${column}_protected`,
  old: `${column}_plain`,
});
const NAMES = [
  triggerName,
  insertTriggerName,
  restIndexName,
  notNullName,
  (migration: ReturnType<typeof of>) => hashIndexName(migration, false),
];
const LONG = 'ä'.repeat(31);

t.test('keeps columns apart whose names are long, or read alike in a row', async (t) => {
  const all = [of('a', 'b_c'), of('a_b', 'c'), of(LONG, 'first'), of(LONG, 'second')];
  const names = all.flatMap((migration) => NAMES.map((name) => name(migration)));
  t.equal(new Set(names).size, names.length);
  t.ok(
    names.every((name) => Buffer.byteLength(name) <= 63),
    'PostgreSQL cuts none',
  );
});
