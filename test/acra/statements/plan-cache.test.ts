import t from 'tap';
import { parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import { PlanCache } from '../../../acra/statements/plan-cache.ts';
import { StatementJudge } from '../../../acra/statements/statement-judge.ts';
import { ENCRYPTOR_YAML } from '../../../cli/demo/database.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { systemRandom } from '../../../runtime/random.ts';

const { tables } = parseEncryptorConfig(ENCRYPTOR_YAML, 'encryptor.yaml');
const real = await StatementJudge.start(tables, systemClock, { reader: 'engine' });
t.teardown(() => real.stop());

/** Counts what it is asked, by text. */
function counted() {
  const asked = new Map<string, number>();
  const judge: StatementJudge['judge'] = async (sql, ...others) => {
    asked.set(sql.toString(), (asked.get(sql.toString()) ?? 0) + 1);
    return await real.judge(sql, ...others);
  };
  const cache = new PlanCache({ judge }, systemRandom);
  const twice = async (text: string) => [await cache.judge(Buffer.from(text)), await cache.judge(Buffer.from(text))];
  return { cache, twice, times: (text: string) => asked.get(text) };
}

t.test('judges a text with parameters once', async (t) => {
  const { twice, times } = counted();
  for (const text of [
    'SELECT name, email FROM patients WHERE id = $1',
    'SELECT id FROM patients WHERE email = $1 -- who is it',
    'INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $12)',
    'SELECT t1.id FROM patients AS t1',
    'BEGIN',
  ]) {
    const [first, second] = await twice(text);
    t.same(second, first, text);
    t.same(second, await real.judge(Buffer.from(text)));
    t.not(second, first, 'each call has a plan of its own');
    t.equal(times(text), 1, text);
  }
});

t.test('judges each time what may hold a value', async (t) => {
  const { twice, times } = counted();
  for (const text of [
    "INSERT INTO patients (id, email) VALUES ($1, 'a@example.org')",
    'SELECT name FROM patients WHERE id = 5 OR id > 5',
    'SELECT name FROM patients WHERE id = 5 LIMIT 1',
    'UPDATE patients SET name = $1 WHERE id = 5',
    'SELECT name FROM patients WHERE id > .5',
    'SELECT name FROM patients WHERE name = $$somebody$$',
    'SELECT name FROM patients WHERE name = $a$somebody$a$',
    'SELECT name FROM patients WHERE id = $1 /* 1970 */',
    `SELECT name FROM patients WHERE id = $1 ${' '.repeat(2048)}`,
  ]) {
    await twice(text);
    t.equal(times(text), 2, text);
  }
});

t.test('judges a plain query once, whatever number a column is compared with', async (t) => {
  const { cache, times } = counted();
  const judged = (id: number) => `SELECT name, email FROM patients WHERE id = ${id};`;
  const first = await cache.judge(Buffer.from(judged(5)));
  for (const id of [0, 7, 123_456_789]) {
    t.same(await cache.judge(Buffer.from(judged(id))), first);
    t.same(await real.judge(Buffer.from(judged(id))), first);
    t.equal(times(judged(id)), undefined);
  }
});

t.test('judges each time what does not depend on the text alone', async (t) => {
  const { twice, times, cache } = counted();
  for (const text of [
    'PREPARE p AS SELECT name FROM patients WHERE id = $1',
    'DECLARE c CURSOR FOR SELECT email FROM patients',
    'FETCH ALL FROM c',
    'DEALLOCATE p',
    'EXECUTE p',
    'COPY patients (id, email) TO STDOUT',
  ]) {
    await twice(text);
    t.equal(times(text), 2, text);
  }
  const text = 'SELECT name FROM patients WHERE id = $1';
  await twice(text);
  await cache.judge(Buffer.from(text), new Map());
  await cache.judge(Buffer.from(text), undefined, { plain: [], unprepared: [] });
  t.equal(times(text), 3);
});

t.test('keeps no refusal', async (t) => {
  const { cache, times } = counted();
  const text = 'SELECT name FROM patients WHERE email > $1';
  for (let time = 0; time < 2; time += 1)
    await t.rejects(cache.judge(Buffer.from(text)), { message: /is compared in a way/ });
  t.equal(times(text), 2);
});

t.test('forgets what was asked for longest ago when it is full', async (t) => {
  const { cache, times } = counted();
  const ask = (name: string) => cache.judge(Buffer.from(`SELECT ${name} FROM patients`));
  for (let at = 0; at < 4_000; at += 1) {
    await ask(`name AS n${at}`);
    await ask('id');
  }
  await ask('name AS n0');
  t.equal(times('SELECT id FROM patients'), 1);
  t.equal(times('SELECT name AS n0 FROM patients'), 2);
});
