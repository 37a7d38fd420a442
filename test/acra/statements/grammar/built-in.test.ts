/** Which functions and relations are PostgreSQL's own, by its own catalogue. */
import pg from 'pg';
import t, { type Test } from 'tap';
import { NO_RECEIVERS } from '../../../../acra/catalogue/no-receivers.ts';
import builtIn from '../../../../acra/statements/grammar/built-in-functions.json' with { type: 'json' };
import builtInOperators from '../../../../acra/statements/grammar/built-in-operators.json' with { type: 'json' };
import builtInRelations from '../../../../acra/statements/grammar/built-in-relations.json' with { type: 'json' };
import { startPostgres } from '../../../../emulator/postgres/server.ts';
import { DATABASE_TEMPLATES } from '../../../support/database-templates.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

async function ask<Row extends pg.QueryResultRow>(t: Test, sql: string): Promise<Row[]> {
  const user = { name: 'someone', password: 'secret' };
  const running = await startPostgres({
    folder: temporaryFolder(t),
    users: [user],
    database: 'records',
    tls: undefined,
    durable: false,
    templates: DATABASE_TEMPLATES,
    signal: new AbortController().signal,
  });
  t.teardown(() => running.stop());
  const { host, port, database } = running;
  const client = new pg.Client({ host, port, database, user: user.name, password: user.password });
  await client.connect();
  const { rows } = await client.query<Row>(sql);
  await client.end();
  return rows;
}

t.test('lists all functions of PostgreSQL 18, but for those that run a text or keep a value', async (t) => {
  const rows = await ask<{ proname: string }>(
    t,
    `SELECT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace GROUP BY 1 ORDER BY proname COLLATE "C"`,
  );
  const all = rows.map(({ proname }) => proname);
  t.same(
    builtIn,
    all.filter((name) => !NO_RECEIVERS.includes(name)),
  );
  t.same(
    NO_RECEIVERS.filter((name) => !all.includes(name)),
    [],
  );
});

t.test('lists all relations of its catalogues', async (t) => {
  const rows = await ask<{ nspname: string; relname: string }>(
    t,
    `SELECT nspname, relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
     WHERE nspname IN ('pg_catalog', 'information_schema') AND relkind IN ('r', 'v') ORDER BY nspname, relname COLLATE "C"`,
  );
  const bySchema = Map.groupBy(rows, ({ nspname }) => nspname);
  t.same(
    builtInRelations,
    Object.fromEntries([...bySchema].map(([schema, all]) => [schema, all.map(({ relname }) => relname)])),
  );
});

t.test('lists all operators as it writes them', async (t) => {
  const rows = await ask<{ oprname: string }>(
    t,
    `SELECT oprname FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace GROUP BY 1 ORDER BY oprname COLLATE "C"`,
  );
  t.same(
    builtInOperators,
    rows.map(({ oprname }) => oprname),
  );
});
