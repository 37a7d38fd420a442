/**
 * psql goes through the checks, and with it libpq. Argument: the program. Values are psql's variables, which it quotes by itself.
 */
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { Absent, ESCAPES, files, LARGE, runChecks, UNICODE, until } from '../node/checks.ts';
import { endSessions, psqlSession } from './session.ts';

const program = process.argv[2] ?? 'psql';
const version = /\d+(?:\.\d+)+/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[0] ?? '';
const major = Number(version.split('.')[0]);
const open = (settings = {}) => psqlSession(program, { VERBOSITY: 'sqlstate', ...settings });
const session = open({ unicode: UNICODE, escapes: ESCAPES });

async function answer(input: string): Promise<string> {
  const { out, err } = await session.ask(input);
  assert.equal(err, '');
  return out;
}

const INSERT = 'INSERT INTO patients (id, name, diagnosis, note) VALUES';

/** @param literal as psql reads it */
async function keeps(id: number, literal: string, value: string): Promise<void> {
  await answer(`${INSERT} (${id}, ${literal}, ${literal}, ${literal});`);
  for (const column of ['name', 'diagnosis', 'note'])
    assert.equal(await answer(`SELECT ${column} FROM patients WHERE id = ${id};`), `${value}\n`);
}

function needs(feature: string, since: number): void {
  if (major < since) throw new Absent(`${feature} comes with psql ${since}`);
}

const numbers = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);
const namesAre = async (from: number, count: number) =>
  assert.equal(
    await answer(`SELECT name FROM patients WHERE id BETWEEN ${from} AND ${from + count - 1} ORDER BY id;`),
    numbers(from, count)
      .map((id) => `name ${id}\n`)
      .join(''),
  );
const pidOf = async (of: typeof session) => Number((await of.ask('SELECT pg_backend_pid();')).out);
const untilActivity = (condition: string, rows: string) =>
  until(async () => (await answer(`SELECT count(*) FROM pg_stat_activity WHERE ${condition};`)) === `${rows}\n`);

await runChecks(
  {
    version,
    runtime: process.env['CLIENT_RUNTIME'] ?? '',
    mode: `simple statements${major >= 16 ? ', \\bind' : ''}${major >= 18 ? ', \\parse, pipelines' : ''}`,
  },
  {
    connect: async () => assert.equal(await answer('SELECT 1;'), '1\n'),
    literals: () => keeps(1, "'Ada'", 'Ada'),
    'parameters-text': async () => {
      needs('\\bind', 16);
      await answer(`${INSERT} ($1, $2, $3, $4) \\bind 2 'Grace' 'gout' 'plain' \\g`);
      const row = await answer('SELECT name, diagnosis, note FROM patients WHERE id = $1 \\bind 2 \\g');
      assert.equal(row, 'Grace|gout|plain\n');
    },
    'parameters-binary': async () => {
      throw new Absent('sends text only');
    },
    search: async () => {
      await answer(`${INSERT} (4, 'Barbara', 'flu', '');`);
      assert.equal(await answer("SELECT id FROM patients WHERE name = 'Barbara';"), '4\n');
      assert.equal(await answer("SELECT id FROM patients WHERE name = 'barbara';"), '');
    },
    'prepared-50': async () => {
      needs('\\parse', 18);
      await answer(`${INSERT} ($1, $2, $3, $4) \\parse store`);
      await answer('SELECT name, diagnosis, note FROM patients WHERE id = $1 \\parse load');
      for (const id of numbers(100, 50)) {
        const name = `'name ${id}'`;
        await answer(`\\bind_named store ${id} ${name} ${name} ${name} \\g`);
        assert.equal(await answer(`\\bind_named load ${id} \\g`), `name ${id}|name ${id}|name ${id}\n`);
      }
    },
    batch: async () => {
      const rows = numbers(200, 20).map((id) => `(${id}, 'name ${id}', 'flu', 'plain')`);
      await answer(`${INSERT} ${rows.join(', ')};`);
      await namesAre(200, 20);
    },
    pipeline: async () => {
      needs('\\startpipeline', 18);
      const statements = numbers(300, 10).map((id) => `${INSERT} ($1, $2, $3, $4) \\bind ${id} 'name ${id}' '' ''`);
      await answer(
        ['\\startpipeline', ...statements.map((each) => `${each} \\sendpipeline`), '\\endpipeline'].join('\n'),
      );
      await namesAre(300, 10);
    },
    null: async () => {
      await answer(`${INSERT} (5, NULL, NULL, NULL);`);
      const row = await answer("\\pset null '(null)'\nSELECT name, diagnosis, note FROM patients WHERE id = 5;");
      assert.equal(row, '(null)|(null)|(null)\n');
    },
    empty: () => keeps(6, "''", ''),
    unicode: () => keeps(7, ":'unicode'", UNICODE),
    escapes: () => keeps(8, ":'escapes'", ESCAPES),
    large: () => keeps(10, `'${LARGE}'`, LARGE),
    returning: async () =>
      assert.equal(await answer(`${INSERT} (11, 'Alan', 'cold', '') RETURNING id, name, diagnosis;`), '11|Alan|cold\n'),
    update: async () => {
      await answer(`${INSERT} (12, 'before', 'before', 'before');`);
      await answer("UPDATE patients SET name = 'after', diagnosis = 'then' WHERE id = 12;");
      const row = await answer('SELECT name, diagnosis, note FROM patients WHERE id = 12;');
      assert.equal(row, 'after|then|before\n');
    },
    rollback: async () => {
      await answer(`BEGIN;\n${INSERT} (13, 'undone', '', '');\nROLLBACK;`);
      await answer(`BEGIN;\n${INSERT} (14, 'kept', '', '');\nCOMMIT;`);
      assert.equal(await answer('SELECT name FROM patients WHERE id IN (13, 14);'), 'kept\n');
    },
    cancel: async () => {
      const sleeper = open();
      const pid = await pidOf(sleeper);
      const cancelled = sleeper.ask('SELECT pg_sleep(60);');
      await untilActivity(`pid = ${pid} AND wait_event = 'PgSleep'`, '1');
      sleeper.interrupt();
      assert.match((await cancelled).err, /57014/);
      return 'psql ends a script upon it';
    },
    error: async () => {
      await answer(`${INSERT} (15, 'once', '', '');`);
      assert.match((await session.ask(`${INSERT} (15, 'twice', '', '');`)).err, /23505/);
      assert.equal(await answer('SELECT name FROM patients WHERE id = 15;'), 'once\n');
    },
    'two-connections': async () => {
      const second = open();
      await answer(`${INSERT} (16, 'first', '', '');`);
      assert.equal((await second.ask('SELECT name FROM patients WHERE id = 16;')).out, 'first\n');
      await second.ask(`${INSERT} (17, 'second', '', '');`);
      assert.equal(await answer('SELECT name FROM patients WHERE id = 17;'), 'second\n');
      await second.close();
    },
    close: async () => {
      const second = open();
      const pid = await pidOf(second);
      await second.close();
      await untilActivity(`pid = ${pid}`, '0');
    },
    'wrong-ca': async () => {
      const { out, err } = await psqlSession(program, {}, files.wrongCa).ask('SELECT 1;');
      assert.equal(out, '', 'it was not refused');
      return err.trim();
    },
  },
);
endSessions();
