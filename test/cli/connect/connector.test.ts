/** `connect` between real clients, a real database and an enclave that attests, or something in its place. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ConnectError } from '../../../cli/connect/errors.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import { pcrsWith } from '../../attestation/verify/support/evidence.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { withoutPsql } from '../../support/psql.ts';
import { attestedEnclave, middle } from './support/attested-enclave.ts';
import { connecting, DATABASE, database, refusalOf, step, USER } from './support/connecting.ts';

const shop = await database(t);
const OTHER_IMAGE = { pcrs: pcrsWith([toPcrIndex(0), Buffer.alloc(48, 0xee)]) };

/** Runs psql over the folder, as a user does. */
function psql(host: string, sql: string, more: readonly string[] = []) {
  const words = ['-h', host, ...more, '-U', USER.name, '-d', DATABASE, '-X', '-A', '-t', '-c', sql];
  return spawn('psql', words, {
    env: { ...process.env, PGPASSWORD: USER.password },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function outcome(child: ReturnType<typeof psql>) {
  const texts = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    texts.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    texts.err += text;
  });
  const [code] = await once(child, 'close');
  return { code, ...texts };
}

t.test('serves many sessions of node-postgres at once, large rows too, as the client of the certificate', async (t) => {
  const enclave = await attestedEnclave(t, shop);
  const { connector, client, verified } = connecting(t, enclave.address);
  await connector.start(step());
  const clients = Array.from({ length: 20 }, client);
  const sizes = await Promise.all(
    clients.map(async (each, index) => {
      await each.connect();
      const { rows } = await each.query(`SELECT repeat('x', $1) AS text FROM generate_series(1, 40)`, [50_000 + index]);
      await each.end();
      return rows.reduce((sum, { text }) => sum + text.length, 0);
    }),
  );
  t.same(
    sizes,
    clients.map((_, index) => 40 * (50_000 + index)),
  );
  t.same(verified, [true], 'one verification for all of them');
  t.equal(enclave.questions, 1);
  t.same(new Set(enclave.clients), new Set(['CN=application']));
});

t.test('serves psql over the folder, and passes its cancel on', { skip: withoutPsql }, async (t) => {
  const enclave = await attestedEnclave(t, shop);
  const { connector, folder, client } = connecting(t, enclave.address);
  await connector.start(step());
  t.match(await outcome(psql(folder, 'SELECT 6 * 7')), { code: 0, out: '42\n' });
  const watching = client();
  await watching.connect();
  const sleeping = psql(folder, 'SELECT pg_sleep(600)');
  const ended = outcome(sleeping);
  const isAsleep = `SELECT count(*)::int AS count FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND wait_event = 'PgSleep'`;
  while ((await watching.query(isAsleep)).rows[0].count === 0) await watching.query('SELECT 1');
  sleeping.kill('SIGINT');
  t.match(await ended, { err: /canceling statement due to user request/ });
  await watching.end();
});

t.test('serves psql over TCP on the loopback interface, which asks for TLS first', { skip: withoutPsql }, async (t) => {
  const enclave = await attestedEnclave(t, shop);
  const { connector } = connecting(t, enclave.address, { local: { kind: 'tcp', host: '127.0.0.1', port: 0 } });
  await connector.start(step());
  t.match(await outcome(psql('127.0.0.1', 'SELECT 6 * 7', ['-p', String(connector.port)])), { code: 0, out: '42\n' });
});

t.test('rejects an enclave whose document names the key with one bit changed, and listens nowhere', async (t) => {
  const enclave = await attestedEnclave(t, shop);
  const changed = Buffer.from(enclave.keySha256());
  changed.writeUInt8((changed[17] ?? 0) ^ 1, 17);
  enclave.attested = changed;
  const { connector, folder } = connecting(t, enclave.address);
  const error = await rejectsCode(() => connector.start(step()), ConnectError, 'CONNECT_NOT_VERIFIED');
  t.match(error.found, /^tls-key: ATTESTATION_TLS_KEY_MISMATCH/);
  t.notOk(existsSync(join(folder, '.s.PGSQL.5432')));
  t.equal(enclave.clients.length, 0, 'no session was begun');
});

t.test('goes on after another boot, once that is verified', async (t) => {
  const enclave = await attestedEnclave(t, shop);
  const { connector, client, verified } = connecting(t, enclave.address);
  await connector.start(step());
  enclave.boot();
  const clients = [client(), client(), client()];
  await Promise.all(clients.map((each) => each.connect()));
  t.same(verified, [true, true]);
  t.equal(enclave.questions, 2, 'one verification for all who came');
  await Promise.all(clients.map((each) => each.end()));
});

t.test('rejects sessions after another boot that does not pass, and sends nothing of them (28000)', async (t) => {
  const enclave = await attestedEnclave(t, shop);
  const { connector, client, failures } = connecting(t, enclave.address);
  await connector.start(step());
  enclave.boot();
  enclave.payload = OTHER_IMAGE;
  const { code, message } = await refusalOf(client());
  t.equal(code, '28000');
  t.match(message, /CONNECT_NOT_VERIFIED.*pcr0/);
  t.equal(enclave.sessionBytes, 0);
  t.match(failures, [{ code: 'CONNECT_NOT_VERIFIED' }]);
});

t.test('keeps sessions that go to the enclave that was verified, when another one in its place is not', async (t) => {
  const [old, next] = [await attestedEnclave(t, shop), await attestedEnclave(t, shop)];
  next.payload = OTHER_IMAGE;
  let route = old.address;
  const { connector, client } = connecting(t, await middle(t, () => route));
  await connector.start(step());
  const first = client();
  await first.connect();
  route = next.address;
  t.match(await refusalOf(client()), { code: '28000' });
  t.same((await first.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  await first.end();
});

t.test(
  'rejects sessions to which a parent in the middle offers its own certificate, and sends it nothing (28000)',
  async (t) => {
    const [enclave, parent] = [await attestedEnclave(t, shop), await attestedEnclave(t, undefined)];
    const { connector, client } = connecting(
      t,
      await middle(t, (isAttestation) => (isAttestation ? enclave : parent).address),
    );
    await connector.start(step());
    const { code, message } = await refusalOf(client());
    t.equal(code, '28000');
    t.match(message, 'CONNECT_KEY_CHANGED');
    t.same(parent.clients, [], 'nor does it learn who asks: no certificate of the client was sent');
    t.equal(parent.sessionBytes, 0);
  },
);

t.test(
  'rejects a parent in the middle that passes on the document of the enclave under its own certificate',
  async (t) => {
    const [enclave, parent] = [await attestedEnclave(t, shop), await attestedEnclave(t, undefined)];
    parent.attested = enclave.keySha256();
    const address = await middle(t, (isAttestation) => (isAttestation ? parent : enclave).address);
    await rejectsCode(() => connecting(t, address).connector.start(step()), ConnectError, 'CONNECT_NOT_VERIFIED');
  },
);

t.test('tells clients that nobody answers (08006), and goes on when somebody does', async (t) => {
  const enclave = await attestedEnclave(t, shop);
  let isUp = true;
  const nowhere = { ...enclave.address, port: 1 };
  const { connector, client } = connecting(t, await middle(t, () => (isUp ? enclave.address : nowhere)));
  await connector.start(step());
  isUp = false;
  t.match(await refusalOf(client()), { code: '08006', message: /CONNECT_UNREACHABLE/ });
  isUp = true;
  const later = client();
  await later.connect();
  await later.end();
});
