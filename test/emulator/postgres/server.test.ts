import { readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client, type ClientConfig } from 'pg';
import t from 'tap';
import { EmulatorError } from '../../../emulator/errors.ts';
import { listenOnLoopback } from '../../../emulator/loopback-http.ts';
import { createAuthority } from '../../../emulator/pki/authority.ts';
import type { PostgresOptions } from '../../../emulator/postgres/options.ts';
import type { RunningPostgres } from '../../../emulator/postgres/server.ts';
import { startPostgres } from '../../../emulator/postgres/server.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const authority = await createAuthority({ commonName: 'Database CA', clock: systemClock });
const { certificatePem: certPem, privateKeyPem: keyPem } = await authority.issue({
  commonName: 'db.test',
  subjectAltNames: ['db.test'],
  kind: 'server',
});
const TLS = { ca: authority.certificatePem, servername: 'db.test' };
/** Everything that has a meaning in SQL, to be taken literally. */
const PASSWORD = `it's "quoted" \\ $1 %s`;

function options(t: { teardown(fn: () => void): void }, overrides: Partial<PostgresOptions> = {}): PostgresOptions {
  return {
    folder: join(temporaryFolder(t), 'postgres'),
    tls: { certPem, keyPem },
    users: [
      { name: 'app', password: PASSWORD },
      { name: 'reader', password: 'r' },
    ],
    database: 'shop',
    durable: false,
    removeOnStop: true,
    signal: AbortSignal.timeout(60_000),
    ...overrides,
  };
}

async function query(server: RunningPostgres, sql: string, overrides: ClientConfig = {}) {
  const { host, port, database } = server;
  const client = new Client({ host, port, database, user: 'app', password: PASSWORD, ssl: TLS, ...overrides });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

t.test('runs PostgreSQL 18 with TLS, as root and as an ordinary user', async (t) => {
  const given = options(t);
  const server = await startPostgres(given);
  t.teardown(() => server.stop());
  const [row] = await query(
    server,
    'SELECT version(), ssl, version AS tls FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
  );
  t.match(row, { version: /^PostgreSQL 18\./, ssl: true });
  await query(server, 'CREATE TABLE t (v int)');
  await t.rejects(query(server, 'SELECT 1', { ssl: false }), { message: /no encryption/ }, 'plaintext is refused');
  await t.rejects(query(server, 'SELECT 1', { password: 'x' }), { code: '28P01' }, 'a wrong password is refused');
  await t.rejects(
    query(server, 'SELECT * FROM t', { user: 'reader', password: 'r' }),
    { code: '42501' },
    'users are apart',
  );
  await t.rejects(query(server, 'SELECT 1', { user: 'postgres', password: '' }), 'nobody is superuser');
  t.same(
    readdirSync(given.folder)
      .filter((name) => name !== 'lib')
      .sort(),
    ['data', 'postgres.log', 'server.crt', 'server.key'],
    'no password file stays',
  );
  const { host, port, database } = server;
  const session = new Client({ host, port, database, user: 'app', password: PASSWORD, ssl: TLS });
  const ended = new Promise((resolve) => session.on('error', resolve));
  await session.connect();
  await server.stop();
  t.match(await ended, { code: '57P01' }, 'sessions are ended');
  t.equal(isRunning(server.pid), false);
  t.throws(() => readdirSync(given.folder), { code: 'ENOENT' }, 'nothing is left');
  await server.stop();
});

t.test('demands client certificates of the authority when it is given one', async (t) => {
  const server = await startPostgres(options(t, { tls: { certPem, keyPem, caPem: authority.certificatePem } }));
  t.teardown(() => server.stop());
  const client = await authority.issue({ commonName: 'acra', kind: 'client' });
  await t.rejects(query(server, 'SELECT 1'), { message: /client certificate/ });
  const ssl = { ...TLS, cert: client.certificatePem, key: client.privateKeyPem };
  t.same(await query(server, 'SELECT 1 AS one', { ssl }), [{ one: 1 }]);
});

t.test('takes a certificate as the login of its users, and of nobody else', async (t) => {
  const tls = { certPem, keyPem, caPem: authority.certificatePem, certificateLogin: true };
  const server = await startPostgres(options(t, { tls }));
  t.teardown(() => server.stop());
  const { certificatePem, privateKeyPem } = await authority.issue({ commonName: 'any', kind: 'client' });
  const ssl = { ...TLS, cert: certificatePem, key: privateKeyPem };
  const login = { password: '', ssl };
  t.same(await query(server, 'SELECT current_user', login), [{ current_user: 'app' }]);
  t.same(await query(server, 'SELECT current_user', { ...login, user: 'reader' }), [{ current_user: 'reader' }]);
  await t.rejects(query(server, 'SELECT 1', { ...login, user: 'postgres' }), { code: '28000' });
  await t.rejects(query(server, 'SELECT 1', { password: PASSWORD }), { code: '28000' }, 'a password is no certificate');
});

t.test('a database without TLS refuses TLS, and keeps its data over a restart', async (t) => {
  const given = options(t, { tls: undefined, removeOnStop: false });
  const first = await startPostgres(given);
  t.teardown(() => first.stop());
  await t.rejects(query(first, 'SELECT 1'), { message: /does not support SSL/ });
  await query(first, "CREATE TABLE kept AS SELECT 'kept' AS word", { ssl: false });
  await first.stop();
  const second = await startPostgres(given);
  t.teardown(() => second.stop());
  t.same(await query(second, 'SELECT word FROM kept', { ssl: false }), [{ word: 'kept' }]);
});

t.test('copies a database that was made once, and makes another one for another user or password', async (t) => {
  const templates = temporaryFolder(t);
  const kept = () => readdirSync(templates);
  const began = await Promise.all([1, 2].map(() => startPostgres(options(t, { templates }))));
  for (const server of began) t.teardown(() => server.stop());
  t.equal(kept().length, 1, 'two that are made at once keep one');
  const [first] = began;
  if (first) await query(first, 'CREATE TABLE of_the_first ()');
  const third = await startPostgres(options(t, { templates }));
  t.teardown(() => third.stop());
  t.same(await query(third, "SELECT to_regclass('of_the_first') AS found"), [{ found: null }]);
  t.equal(kept().length, 1);
  const users = [{ name: 'app', password: 'another' }];
  const other = await startPostgres(options(t, { templates, users }));
  t.teardown(() => other.stop());
  t.same(await query(other, 'SELECT 1 AS one', { password: 'another' }), [{ one: 1 }]);
  t.equal(kept().length, 2);
});

t.test('gives up when the signal aborts, and leaves nothing', async (t) => {
  const given = options(t, { signal: AbortSignal.abort(new Error('enough')) });
  await t.rejects(startPostgres(given), { message: 'enough' });
  t.throws(() => readdirSync(given.folder), { code: 'ENOENT' });
});

t.test('rejects users that cannot be made, with the reason (EMULATOR_POSTGRES_SETUP)', async (t) => {
  const users = [
    { name: 'twice', password: 'x' },
    { name: 'twice', password: 'x' },
  ];
  const error = await rejectsCode(() => startPostgres(options(t, { users })), EmulatorError, 'EMULATOR_POSTGRES_SETUP');
  t.match(error.cause, { message: /role "twice" already exists/ });
});

t.test('rejects options that make no sense (EMULATOR_POSTGRES_OPTIONS)', async (t) => {
  const cases: Record<string, Partial<PostgresOptions>> = {
    'a database name that needs quotes': { database: 'a-b' },
    'a user name that is SQL': { users: [{ name: 'a;drop', password: 'x' }] },
    'the name of the superuser': { users: [{ name: 'postgres', password: 'x' }] },
    'a login by certificate without an authority': { tls: { certPem, keyPem, certificateLogin: true } },
    'a password with a line break': { users: [{ name: 'a', password: 'x\ny' }] },
    'no user': { users: [] },
    'neither TLS nor plaintext': { tls: undefined, allowPlaintext: false },
  };
  for (const [name, overrides] of Object.entries(cases)) {
    await rejectsCode(() => startPostgres(options(t, overrides)), EmulatorError, 'EMULATOR_POSTGRES_OPTIONS');
    t.pass(name);
  }
});

t.test('rejects a port that is taken (EMULATOR_POSTGRES_START)', async (t) => {
  const holder = createServer();
  t.teardown(() => holder.close());
  const { port } = await listenOnLoopback(holder, 0);
  const given = options(t, { port });
  await rejectsCode(() => startPostgres(given), EmulatorError, 'EMULATOR_POSTGRES_START');
  t.throws(() => readdirSync(given.folder), { code: 'ENOENT' }, 'nothing is left');
});

t.test('rejects a data folder that is damaged, with the reason (EMULATOR_POSTGRES_START)', async (t) => {
  const given = options(t, { removeOnStop: false });
  const first = await startPostgres(given);
  await first.stop();
  writeFileSync(join(given.folder, 'data', 'PG_VERSION'), '9\n');
  const error = await rejectsCode(() => startPostgres(given), EmulatorError, 'EMULATOR_POSTGRES_START');
  t.match(error.found, /incompatible with server/);
});
