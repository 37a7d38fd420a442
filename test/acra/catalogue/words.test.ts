/** What the source of a function is taken to mention. */
import t from 'tap';
import { Mentions, readSource } from '../../../acra/catalogue/words.ts';

const mentions = (source: string, name: string) =>
  new Mentions(new Map([['F1', readSource(source)]])).ofName(name).length === 1;

t.test('finds a name in every form that a source may have it in', async (t) => {
  for (const source of [
    'INSERT INTO patients VALUES (1)',
    'insert into PATIENTS values (1)',
    'INSERT INTO public."patients"(id)VALUES(1)',
    'SELECT/**/1FROM patients--x',
    'SELECT 1patients',
    "SELECT nextval('patients')",
    '/* patients */',
    'SELECT $x$patients$x$',
    'a$patients',
  ]) {
    t.ok(mentions(source, 'patients'), source);
  }
  t.ok(mentions('SELECT * FROM "Odd ""Table"', 'Odd "Table'));
  t.ok(mentions('SELECT * FROM "ÄRZTE"', 'ärzte'));
  t.ok(mentions('SELECT * FROM "%%"', '%%'), 'a name without a word may stand anywhere');
  t.ok(mentions(`SELECT * FROM ${'a'.repeat(70)}`, 'a'.repeat(63)), 'PostgreSQL cuts names off');
  t.notOk(mentions('SELECT * FROM inpatients, patients_old', 'patients'));
});

t.test('finds operators in runs of symbols', async (t) => {
  const of = (source: string, name: string) => new Mentions(new Map([['F1', readSource(source)]])).ofOperator(name);
  t.same(of('SELECT a===-1', '==='), ['F1']);
  t.same(of('SELECT a == 1', '==='), []);
});

t.test('rejects sources that could name anything', async (t) => {
  for (const source of [
    "EXECUTE 'x'",
    "RETURN QUERY execute format('x')",
    'PREPARE p AS SELECT 1',
    "DO 'x'",
    'DO $$ x $$',
    'DO /* c */ UPDATE',
    'SELECT U&"\\0061"',
    'CREATE TEMP TABLE x ()',
    "SELECT dblink_exec('x')",
    "SELECT query_to_xml($1, true, true, '')",
  ]) {
    t.type(readSource(source).fault, 'string', source);
  }
  for (const source of [
    'INSERT INTO n VALUES (1) ON CONFLICT DO NOTHING',
    'ON CONFLICT (id) DO\n UPDATE SET a = 1',
    'SELECT executed, undo',
    '',
  ]) {
    t.equal(readSource(source).fault, undefined, source);
  }
});
