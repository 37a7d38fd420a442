/** What `data verify` finds in a table behind its switch, and that it finds nothing where there is nothing. */
import t from 'tap';
import { migrating, SEARCHABLE } from './support/migrating.ts';

const TABLE = 'CREATE TABLE patients (id int PRIMARY KEY, name text, ward text)';

t.test('a table behind its switch', async (t) => {
  const { owner, prepare, encrypt, verify } = await migrating(t, SEARCHABLE, TABLE);
  await owner.query("INSERT INTO patients SELECT g, 'name ' || g, 'A' FROM generate_series(1, 300) g");
  await owner.query("INSERT INTO patients VALUES (301, NULL), (302, '')");
  await prepare();

  await t.test('rejects one that is not switched', async (t) => {
    const report = await verify();
    t.equal(report.outcome, 'faults');
    t.match(report.remainders, [{ kind: 'unswitched', isFault: true }]);
  });

  await encrypt();

  await t.test('rejects the plaintext that the switch put aside, but before it is dropped', async (t) => {
    const report = await verify();
    t.equal(report.outcome, 'faults');
    t.same(report.offenders, []);
    t.match(report.remainders, [
      { kind: 'old', name: 'name_plain' },
      { kind: 'configured', isFault: false },
    ]);
    t.match(await verify({ isBeforeDrop: true }), { outcome: 'proved', rows: 302, values: 300 });
  });

  await t.test('is content with what is emptied, and with what is dropped', async (t) => {
    t.match(await encrypt({ old: 'empty' }), { old: { way: 'empty', emptied: 301 } });
    t.equal((await verify()).outcome, 'proved');
    await encrypt({ old: 'drop' });
    t.equal((await verify()).outcome, 'proved');
  });

  await t.test('names the rows that are not as they should be, and says of none what it holds', async (t) => {
    await owner.query('ALTER TABLE patients DROP CONSTRAINT acra_belt_name');
    const change = (id: number, sql: string) => owner.query(`UPDATE patients SET name = ${sql} WHERE id = ${id}`);
    await change(7, "'SECRET'");
    await change(8, 'set_byte(name, octet_length(name) - 1, get_byte(name, octet_length(name) - 1) # 1)');
    await change(9, 'set_byte(name, 5, get_byte(name, 5) # 1)');
    await change(10, 'substr(name, 34)');
    await change(11, "name || 'x'");
    const report = await verify();
    t.equal(report.outcome, 'faults');
    t.same(
      report.offenders.map(({ key, fault }) => `${key} ${fault}`).toSorted(),
      // acra-server opens nothing behind a hash that is not its value's.
      ['10 unhashed', '11 plaintext', '7 plaintext', '8 foreign', '9 foreign'].toSorted(),
    );
    t.same(report.faults, { plaintext: 2, unhashed: 1, foreign: 2 });
    t.notMatch(JSON.stringify(report), /SECRET/);
  });
});
