/** Which functions are PostgreSQL's own, by its own catalogue. */
import pg from 'pg';
import t from 'tap';
import { NO_RECEIVERS } from '../../../../acra/catalogue/no-receivers.ts';
import builtIn from '../../../../acra/statements/grammar/built-in-functions.json' with { type: 'json' };
import { startPostgres } from '../../../../emulator/postgres/server.ts';
import { DATABASE_TEMPLATES } from '../../../support/database-templates.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

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
    all.filter((name) => !NO_RECEIVERS.includes(name)),
  );
  t.same(
    NO_RECEIVERS.filter((name) => !all.includes(name)),
    [],
  );
});
