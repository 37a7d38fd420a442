/**
 * Ways for a value that is given to something plain to get into a protected column, each in a real PostgreSQL: what it is given to is left
 * out of the list, or where no list stops it, it is told as an error.
 */
import t from 'tap';
import { getsThrough } from './support/attempts.ts';
import { caseDatabase } from './support/database.ts';
import { WAYS } from './support/ways.ts';

const [BASE_RELATIONS, BASE_FUNCTIONS] = [['notes'], ['touch']];

t.test('ways from something plain to a protected column', async (t) => {
  const database = await caseDatabase(t);
  let ways = 0;
  for (const [name, way] of Object.entries(WAYS)) {
    await t.test(`follows ${name}`, async (t) => {
      const { list, findings } = await database.judge(way.sql);
      const lines = findings.map(({ code, object, found }) => `${code} ${object}: ${found}`);
      const { leftOut = [], functionsLeftOut = [], operatorsLeftOut = [], operatorsListed = [] } = way;
      const listed = way.listed ?? BASE_RELATIONS.filter((each) => !leftOut.includes(each));
      const functions = way.functionsListed ?? BASE_FUNCTIONS.filter((each) => !functionsLeftOut.includes(each));
      t.same(
        list.relations.filter((each) => leftOut.includes(each)),
        [],
        'is left out',
      );
      t.same(
        list.operators.filter((each) => operatorsLeftOut.includes(each)),
        [],
      );
      t.same(
        operatorsListed.filter((each) => !list.operators.includes(each)),
        [],
      );
      t.same(
        list.functions.filter((each) => [...functionsLeftOut, 'save', 'saves'].includes(each)),
        [],
        'is left out',
      );
      t.same(
        listed.filter((each) => !list.relations.includes(each)),
        [],
        `is listed: ${lines.join('\n')}`,
      );
      t.same(
        functions.filter((each) => !list.functions.includes(each)),
        [],
        `is listed: ${lines.join('\n')}`,
      );
      for (const [code, text] of way.told ?? []) {
        t.ok(
          lines.some((line) => line.startsWith(`${code} `) && text.test(line)),
          `${code} ${text}: ${lines.join('\n')}`,
        );
      }
      t.same(await getsThrough(database.client, list), [], 'nothing that is listed brings a value there');
      const others = { relations: leftOut, functions: functionsLeftOut };
      ways += (await getsThrough(database.client, others)).length > 0 ? 1 : 0;
    });
  }

  await t.test('finds these ways where they are taken', async (t) => {
    t.ok(ways >= 15, `what is left out does bring values there, in ${ways} of these databases`);
  });
});
