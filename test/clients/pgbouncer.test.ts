/**
 * PgBouncer between applications and the enclave: what works by session and by transaction pooling, and what does not. The section of
 * docs/high-availability.md says the same in words.
 */
import { once } from 'node:events';
import { createConnection } from 'node:net';
import pg from 'pg';
import t, { type Test } from 'tap';
import { DATABASE_NAME } from '../../cli/demo/certificates.ts';
import { APPLICATION, DATABASE } from '../../cli/demo/database.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import { CANCEL_REQUEST_CODE } from '../../postgres/cancel-request.ts';
import { changeInDatabase, verifierOf } from '../integration/support/verifier-login.ts';
import { servingStack } from '../support/stack.ts';
import { KNOWS_PREPARED, PGBOUNCER_VERSION, type Pooler, startPgBouncer } from './support/pgbouncer.ts';

const without = PGBOUNCER_VERSION === undefined ? 'there is no pgbouncer on PATH, nor at PGBOUNCER' : false;
const INSERT = 'INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $4)';
const BY_EMAIL = 'SELECT id, diagnosis FROM patients WHERE email = $1';

let ids = 0;

async function writesAndReads(t: Test, client: pg.Client): Promise<void> {
  const id = ++ids;
  await client.query(INSERT, [id, 'A', `p${id}@example.org`, `gout ${id}`]);
  t.same((await client.query(BY_EMAIL, [`p${id}@example.org`])).rows, [{ id, diagnosis: `gout ${id}` }]);
}

/** A client of its own, which ends behind it: of a pool by session it has the only one. */
async function asClient(
  pooler: Pooler,
  run: (client: pg.Client) => Promise<void>,
  settings?: pg.ClientConfig,
): Promise<void> {
  const client = await pooler.connect(settings);
  try {
    await run(client);
  } finally {
    await client.end();
  }
}

const one = async (client: pg.Client, sql: string) => Object.values((await client.query(sql)).rows[0] ?? {})[0];

/** As libpq cancels: a connection of its own, until the pooler ends it. */
async function cancel(client: pg.Client): Promise<void> {
  const { host, port, processID, secretKey } = client as pg.Client & { processID: number; secretKey: number };
  const packet = Buffer.alloc(16);
  for (const [at, value] of [16, CANCEL_REQUEST_CODE, processID, secretKey].entries())
    packet.writeInt32BE(value, 4 * at);
  const socket = createConnection(port, host).on('error', () => undefined);
  socket.write(packet);
  socket.resume();
  await once(socket, 'close');
}

/** The same user past the enclave, who sees what its sessions do. */
async function connectPast({ parts }: Stack): Promise<pg.Client> {
  const { postgres, certificates } = parts;
  const ssl = { ca: certificates.databaseCaPem, servername: DATABASE_NAME };
  const client = new pg.Client({ host: postgres.host, port: postgres.port, database: DATABASE, ...APPLICATION, ssl });
  await client.connect();
  return client;
}

async function untilSleeping(past: pg.Client): Promise<void> {
  while ((await one(past, "SELECT count(*)::int FROM pg_stat_activity WHERE wait_event = 'PgSleep'")) === 0);
}

/** Ends what the pool has at the database, as a drained enclave does. */
const endSessions = (past: pg.Client) =>
  past.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${APPLICATION.user}' AND pid <> pg_backend_pid()`,
  );

t.test('database.login: certificate', { skip: without }, async (t) => {
  t.comment(`PgBouncer ${PGBOUNCER_VERSION}`);
  const serving = await servingStack(t);
  const past = await connectPast(serving.stack);
  t.teardown(() => past.end());

  for (const mode of ['session', 'transaction'] as const) {
    await t.test(`${mode} pooling`, async (t) => {
      const pooler = await startPgBouncer(t, serving, mode);

      await t.test('writes and reads protected values, by parameters and by the searchable column', (t) =>
        asClient(pooler, (client) => writesAndReads(t, client)),
      );

      await t.test('undoes a transaction that is rolled back', (t) =>
        asClient(pooler, async (client) => {
          await client.query('BEGIN');
          await client.query(
            `INSERT INTO patients (id, name, email, diagnosis) VALUES (${++ids}, 'A', 'q@example.org', 'flu')`,
          );
          await client.query('ROLLBACK');
          t.same((await client.query(BY_EMAIL, ['q@example.org'])).rows, []);
        }),
      );

      await t.test('cancels a running statement, and that session goes on', (t) =>
        asClient(pooler, async (client) => {
          const ended = t.rejects(client.query('SELECT pg_sleep(60)'), { code: '57014' });
          await untilSleeping(past);
          await cancel(client);
          await ended;
          await writesAndReads(t, client);
        }),
      );

      await t.test('names the client in application_name', (t) =>
        asClient(
          pooler,
          async (client) => void t.match(await one(client, 'SHOW application_name'), /^billing - 127\.0\.0\.1:\d+$/),
          { application_name: 'billing' },
        ),
      );

      await t.test('goes on when its sessions at the database were ended while nobody used them', async (t) => {
        await asClient(pooler, (client) => writesAndReads(t, client));
        await endSessions(past);
        await asClient(pooler, (client) => writesAndReads(t, client));
      });
    });
  }

  await t.test('session pooling: what belongs to a session', async (t) => {
    const pooler = await startPgBouncer(t, serving, 'session');

    await t.test('gives the next client nothing of the settings and the statements of the one before', async (t) => {
      const statement = (id: number) => ({
        name: 'insert',
        text: INSERT,
        values: [id, 'A', `n${id}@example.org`, 'x'],
      });
      await asClient(pooler, async (client) => {
        await client.query("SET statement_timeout = '7s'");
        for (const id of [++ids, ++ids]) await client.query(statement(id));
      });
      await asClient(pooler, async (client) => {
        t.equal(await one(client, 'SHOW statement_timeout'), '0', 'DISCARD ALL passed the guard');
        await client.query(statement(++ids));
      });
    });

    await t.test('hears what it listens to', (t) =>
      asClient(pooler, async (client) => {
        const heard = once(client, 'notification');
        await client.query('LISTEN news');
        await past.query("NOTIFY news, 'of today'");
        const [{ payload }] = (await heard) as [{ payload: string }];
        t.equal(payload, 'of today');
      }),
    );

    await t.test('holds an advisory lock until it ends, and no longer', async (t) => {
      await asClient(pooler, async (client) => {
        await client.query('SELECT pg_advisory_lock(7)');
        t.equal(await one(past, 'SELECT pg_try_advisory_lock(7)'), false);
      });
      while ((await one(past, 'SELECT pg_try_advisory_lock(7)')) === false);
      await past.query('SELECT pg_advisory_unlock(7)');
    });
  });

  await t.test('transaction pooling: clients share one session', async (t) => {
    const pooler = await startPgBouncer(t, serving, 'transaction');
    const [first, second] = [await pooler.connect(), await pooler.connect()];
    const pid = 'SELECT pg_backend_pid() AS pid';
    t.equal(await one(first, pid), await one(second, pid));

    await t.test('goes on for a client that stays while the session at the database is another one', async (t) => {
      await endSessions(past);
      await writesAndReads(t, first);
    });

    await t.test('holds a lock and a setting as long as the transaction', async (t) => {
      await first.query('BEGIN');
      await first.query('SELECT pg_advisory_xact_lock(8)');
      await first.query("SET LOCAL statement_timeout = '7s'");
      t.equal(await one(past, 'SELECT pg_try_advisory_lock(8)'), false);
      await first.query('COMMIT');
      t.equal(await one(second, 'SHOW statement_timeout'), '0');
    });

    const ofOldOnes = KNOWS_PREPARED ? false : 'this PgBouncer has no max_prepared_statements (1.21 has)';
    await t.test('runs prepared statements by name, those of each client', { skip: ofOldOnes }, async (t) => {
      for (const client of [first, second, first, second]) {
        const id = ++ids;
        const values = [id, 'A', `t${id}@example.org`, `gout ${id}`];
        await client.query({ name: 'insert', text: INSERT, values });
        const read = await client.query({ name: 'read', text: BY_EMAIL, values: [`t${id}@example.org`] });
        t.same(read.rows, [{ id, diagnosis: `gout ${id}` }]);
      }
    });
  });
});

t.test('database.login: verifier, by the password that PgBouncer has', { skip: without }, async (t) => {
  const verifier = await verifierOf(APPLICATION.password);
  const serving = await servingStack(t, {
    enclaveSettings: { database: { login: 'verifier' } },
    databaseSecrets: { secret: verifier },
  });
  await changeInDatabase(serving.stack, verifier);
  await writesAndReads(t, await (await startPgBouncer(t, serving, 'transaction')).connect());
});

t.test('database.login: client, by the password that PgBouncer has', { skip: without }, async (t) => {
  const serving = await servingStack(t, { enclaveSettings: { database: { login: 'client' } } });
  await writesAndReads(t, await (await startPgBouncer(t, serving, 'transaction')).connect());
});
