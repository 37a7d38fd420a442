/** Which functions are PostgreSQL's own, by its own catalogue. */
import pg from 'pg';
import t from 'tap';
import builtIn from '../../../../acra/statements/grammar/built-in-functions.json' with { type: 'json' };
import { startPostgres } from '../../../../emulator/postgres/server.ts';
import { DATABASE_TEMPLATES } from '../../../support/database-templates.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

/** They run a text as a statement, or keep what they get. */
const LEFT_OUT = [
  ...['query_to_xml', 'query_to_xml_and_xmlschema', 'query_to_xmlschema', 'ts_rewrite', 'ts_stat'],
  ...['lo_from_bytea', 'lo_import', 'lo_put', 'lowrite', 'pg_logical_emit_message'],
];

t.test('lists all functions of PostgreSQL 18, but for those that run a text or keep a value', async (t) => {
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
  const { rows } = await client.query<{ proname: string }>(
    `SELECT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace GROUP BY 1 ORDER BY proname COLLATE "C"`,
  );
  await client.end();
  const all = rows.map(({ proname }) => proname);
  t.same(
    builtIn,
    all.filter((name) => !LEFT_OUT.includes(name)),
  );
  t.same(
    LEFT_OUT.filter((name) => !all.includes(name)),
    [],
  );
});
