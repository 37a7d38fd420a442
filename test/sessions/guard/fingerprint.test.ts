/** Fingerprints of statements: equal where only constants differ, and of no use to who does not have the key. */
import t from 'tap';
import { StatementJudge } from '../../../acra/statements/statement-judge.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { fingerprinter } from '../../../sessions/guard/fingerprint.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const judge = await StatementJudge.start(new Map(), systemClock);
t.teardown(() => judge.stop());
const shapeOf = (sql: string) => judge.shapeOf(sql);
const fingerprint = fingerprinter(seededRandom('one'), shapeOf);
const latin1 = (sql: string) => Buffer.from(sql).toString('latin1');

t.test('keeps statements equal that differ in constants, white space and parameters only', async (t) => {
  const expected = fingerprint(`SELECT id FROM person WHERE note = 'flu'`);
  t.match(expected, /^[0-9a-f]{16}$/);
  for (const sql of [
    `select id  from person where note = 'gout'`,
    'SELECT id FROM person WHERE note = $1',
    latin1(`SELECT id FROM person WHERE note = '漢'`),
  ]) {
    t.equal(fingerprint(sql), expected, sql);
  }
  t.not(fingerprint(`SELECT name FROM person WHERE note = 'flu'`), expected);
});

t.test('keeps texts equal in the same way that the grammar does not read here', async (t) => {
  for (const text of [
    (value: string) => `SELEC ${value} FROM person`,
    (value: string) => `SELECT ${value}, '${'x'.repeat(3_000)}' FROM person WHERE cut of`,
    (value: string) => `SELECT ${value}, $a$ unended ${value}`,
  ]) {
    t.equal(fingerprint(text(`'flu'`)), fingerprint(text(`'go''ut'`)));
    t.equal(fingerprint(text('$$flu$$')), fingerprint(text('17')));
  }
});

t.test('gives another fingerprint under another key', async (t) => {
  const other = fingerprinter(seededRandom('two'), shapeOf);
  t.not(other('SELECT 1'), fingerprint('SELECT 1'));
});

t.test('reads no text here that could break the parser', async (t) => {
  t.equal(judge.shapeOf(`SELECT ${'1 + '.repeat(3_000)}1`), undefined);
  t.equal(judge.shapeOf('SELEC'), undefined);
  t.type(judge.shapeOf('SELECT 1'), 'string');
});
