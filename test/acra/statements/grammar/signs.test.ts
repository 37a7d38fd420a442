/** What a value is made of in the text: all of it must go, and nothing else. */
import t from 'tap';
import { kindOf, sentFor } from '../support/verdicts.ts';

t.test('rejects a number whose sign stands apart, and would be left in the text', async (t) => {
  for (const value of ['- - 42', '-(42)', '-(-42)', '- ( - 42)']) {
    t.equal(kindOf(`UPDATE v SET email = ${value}`), 'value-hidden', value);
  }
  t.equal(kindOf('UPDATE v SET email = - /* 1 */ 42'), 'passes');
});

t.test('takes all words of a type that has several', async (t) => {
  t.equal(sentFor("UPDATE v SET email = national character varying 'p'"), 'UPDATE v SET email = bytea <p>::bytea');
  t.equal(sentFor("UPDATE v SET email = 'p'::char varying"), 'UPDATE v SET email = <p>::bytea::bytea');
});

t.test('gives NULL in a sub-select the type of the column that it is for', async (t) => {
  t.equal(sentFor('UPDATE v SET email = (SELECT NULL)'), 'UPDATE v SET email = (SELECT NULL::bytea)');
});

t.test('keeps a text with more parameters than a call takes arguments', async (t) => {
  const many = Array.from({ length: 140_000 }, () => '$1').join(', ');
  t.equal(kindOf(`SELECT FROM v WHERE email = $1 OR id::text IN (${many})`), 'passes');
});
