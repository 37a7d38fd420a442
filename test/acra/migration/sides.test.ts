/** On which side of its switch a column is, by what a catalogue says (decision 21). */
import t from 'tap';
import { type CatalogueRow, readSides, sideQuery } from '../../../acra/migration/sides.ts';

const MIGRATION = { table: 'patients', column: 'name', beside: 'name_protected', old: 'name_plain' };
const [TEXT, BYTEA] = ['25', '17'];

function sideOf(
  ...relations: readonly { readonly visible?: boolean; readonly columns: Readonly<Record<string, string>> }[]
) {
  const hex = (name: string) => Buffer.from(name).toString('hex');
  const rows = relations.flatMap(({ visible = true, columns }, index): CatalogueRow[] =>
    Object.entries(columns).map(([name, type]) => [
      String(index),
      hex('patients'),
      visible ? 't' : 'f',
      hex(name),
      type,
    ]),
  );
  const { plain, unprepared } = readSides([MIGRATION], rows);
  return plain.length > 0 ? 'plain' : unprepared.length > 0 ? 'unprepared' : 'switched';
}

t.test('is plain with both columns, and switched with one of type bytea', async (t) => {
  t.equal(sideOf({ columns: { id: '23', name: TEXT, name_protected: BYTEA } }), 'plain');
  t.equal(sideOf({ columns: { name: BYTEA, name_protected: BYTEA } }), 'plain');
  t.equal(sideOf({ columns: { name: BYTEA } }), 'switched');
  t.equal(sideOf({ columns: { name: BYTEA, name_plain: TEXT } }), 'switched');
});

t.test('is unprepared with anything else', async (t) => {
  t.equal(sideOf(), 'unprepared');
  t.equal(sideOf({ columns: { name: TEXT } }), 'unprepared');
  t.equal(sideOf({ columns: { name: TEXT, name_protected: TEXT } }), 'unprepared');
  t.equal(sideOf({ columns: { name_plain: TEXT, name_protected: BYTEA } }), 'unprepared');
});

t.test(
  'means the relation that the bare name finds; where it finds none, all of that name must be alike',
  async (t) => {
    const [before, behind] = [{ name: TEXT, name_protected: BYTEA }, { name: BYTEA }];
    t.equal(sideOf({ columns: before }, { visible: false, columns: behind }), 'plain');
    t.equal(sideOf({ columns: behind }, { visible: false, columns: before }), 'unprepared');
    t.equal(sideOf({ columns: behind }, { visible: false, columns: { name: TEXT } }), 'switched');
    t.equal(sideOf({ visible: false, columns: behind }, { visible: false, columns: behind }), 'switched');
    t.equal(sideOf({ visible: false, columns: before }, { visible: false, columns: behind }), 'unprepared');
  },
);

t.test('asks for names as literals in ASCII, whatever is in them', async (t) => {
  const tables = ["o'clock", String.raw`a\b`, 'Ärzte🙂', 'patients', 'patients'];
  t.match(
    sideQuery(tables.map((table) => ({ ...MIGRATION, table }))),
    String.raw`c.relname IN (E'o\U00000027clock', E'a\U0000005cb', E'\U000000c4rzte\U0001f642', E'patients')`,
  );
});
