/** A session against a real PostgreSQL 18: how it begins, and every way in which it ends. */

import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import t from 'tap';
import type { ValueProtector } from '../../../acra/conversation/value-protector.ts';
import { parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import { StatementJudge } from '../../../acra/statements/statement-judge.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { certificateLogin } from '../../../sessions/guard/access.ts';
import { SecretChoice } from '../../../sessions/guard/secret-choice.ts';
import { GuardedSession, type SessionDeps } from '../../../sessions/guard/session.ts';
import { HeldBytes } from '../../../sessions/held-bytes.ts';
import { MessageStream } from '../../../sessions/message-stream.ts';
import { ENCRYPTOR_CONFIG } from '../../acra/conversation/support/conversation-rig.ts';
import { client, errorFields, rowValues } from '../../emulator/acra-server/support/frames.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';
import { startShop } from '../../support/shop-database.ts';
import { DATABASE_CA, DATABASE_TLS, rawDatabase, say } from '../edge/support/lying-database.ts';
import { settled } from '../support/streams.ts';

const PASSWORD = 'pencil';
const server = await startShop(
  t,
  { name: 'app', password: PASSWORD },
  { certPem: DATABASE_TLS.certificatePem, keyPem: DATABASE_TLS.privateKeyPem },
);
const judge = await StatementJudge.start(parseEncryptorConfig(ENCRYPTOR_CONFIG, 'encryptor.yaml').tables, systemClock);
t.teardown(() => judge.stop());

const address = { kind: 'tcp', host: server.host, port: server.port } as const;
const database = { address, serverName: 'db.test', caPem: DATABASE_CA, minTls: 'TLSv1.3' } as const;
const users = [
  {
    name: 'app',
    databases: ['shop'],
    secrets: new SecretChoice([SecretBuffer.take(Buffer.from(PASSWORD))], () => undefined),
  },
];
const LOGIN_MS = 15_000;
const HOUR_MS = 3_600_000;
const patient = () => AbortSignal.timeout(20_000);

const passing: ValueProtector = {
  literal: async ({ value }) => Buffer.from(value),
  parameter: async (_, value) => value,
  rows: async (all) => all,
  copied: async () => undefined,
};

interface Rig {
  readonly user?: string;
  readonly deps?: Partial<SessionDeps>;
}

function begin({ user = 'app', deps = {} }: Rig = {}) {
  const clock = new FakeClock();
  const [own, peer] = duplexPair();
  for (const end of [own, peer]) end.on('error', () => undefined);
  const session = new GuardedSession(own, {
    database,
    openAccess: certificateLogin({ users, random: systemRandom, logger: new MemoryLogger() }),
    judge,
    protectors: { decrypted: passing, stored: passing },
    room: new HeldBytes(1_000_000),
    maxMessageBytes: 20_000,
    maxDatabaseMessageBytes: 1_000_000,
    clock,
    ...deps,
  });
  const startup = {
    minor: 0,
    parameters: new Map([
      ['user', user],
      ['database', 'shop'],
    ]),
  };
  const ended = session.serve({
    startup,
    certificateEndsMs: clock.nowMs() + HOUR_MS,
    channelBinding: null,
    loginMs: LOGIN_MS,
  });
  const answers = new MessageStream(peer, { maxBytes: 1_000_000 });
  /** All up to the next ReadyForQuery or FATAL, as types; rows and errors with what they say. */
  const until = async (last = 'Z') => {
    const shown: string[] = [];
    for (;;) {
      const { type, body } = await answers.next(patient());
      const fields = type === 'E' ? errorFields(body) : {};
      if (type === 'E') shown.push(`${fields['S']} ${fields['C']}`);
      else if (type === 'D') shown.push(`D ${rowValues(body).join(' ')}`);
      else if (!'SNKT'.includes(type)) shown.push(type === 'Z' ? `Z${body}` : type);
      if (type === last || fields['S'] === 'FATAL') return shown;
    }
  };
  const send = (...frames: readonly { readonly frame: Buffer }[]) =>
    peer.write(Buffer.concat(frames.map(({ frame }) => frame)));
  const leave = () => own.destroy();
  return { clock, session, ended, peer, until, send, leave };
}

async function loggedIn(rig: Rig = {}) {
  const session = begin(rig);
  t.same(await session.until(), ['R', 'ZI']);
  return session;
}

t.test('logs in by the password of the enclave and passes statements', async (t) => {
  const { until, send, ended, peer } = await loggedIn();
  send(client.query('SELECT 1'));
  t.same(await until(), ['D 1', 'C', 'ZI']);
  send({ frame: say('X', '') });
  t.equal(await ended, undefined, 'a client that leaves is no fault');
  if (!peer.readableEnded) await once(peer, 'end');
});

t.test('refuses a user that the certificate may not be (28000) before it dials the database', async (t) => {
  const unreachable = { ...database, address: { ...address, port: 1 } };
  const { until, ended } = begin({ user: 'other', deps: { database: unreachable } });
  t.same(await until(), ['FATAL 28000']);
  t.match(await ended, { sqlState: '28000', message: /may not be user "other"/ });
});

t.test('tells a client that the login took too long (57014), and closes both legs', async (t) => {
  const gone = Promise.withResolvers<void>();
  const dialled = Promise.withResolvers<void>();
  const silent = await rawDatabase(t, (socket) => {
    socket.resume().once('close', () => gone.resolve());
    dialled.resolve();
  });
  const { clock, until, ended } = begin({ deps: { database: silent } });
  await dialled.promise;
  clock.advance(LOGIN_MS);
  t.same(await until(), ['FATAL 57014']);
  t.match(await ended, { sqlState: '57014' });
  await gone.promise;
});

t.test('tells a client that the database cannot be reached (08006)', async (t) => {
  const { until } = begin({ deps: { database: { ...database, address: { ...address, port: 1 } } } });
  t.same(await until(), ['FATAL 08006']);
});

t.test('ends a drained session at once when it is idle (57P01)', async (t) => {
  const { session, until, ended } = await loggedIn();
  session.drain();
  t.same(await until(), ['FATAL 57P01']);
  await ended;
});

t.test('ends a drained session after the query under way, with its whole answer', async (t) => {
  const { session, until, send } = await loggedIn();
  send(client.query('SELECT pg_sleep(0.2)::text, 1'));
  await settled();
  session.drain();
  t.same(await until(), ['D  1', 'C', 'ZI']);
  t.same(await until(), ['FATAL 57P01']);
});

t.test('ends a drained session when its transaction has ended, not before', async (t) => {
  const { session, until, send } = await loggedIn();
  send(client.query('BEGIN'));
  t.same(await until(), ['C', 'ZT']);
  session.drain();
  send(client.query('SELECT 2'));
  t.same(await until(), ['D 2', 'C', 'ZT']);
  send(client.query('COMMIT'));
  t.same(await until(), ['C', 'ZI']);
  t.same(await until(), ['FATAL 57P01']);
});

t.test('does not take a pipeline without its Sync for idle', async (t) => {
  const { session, until, send } = await loggedIn();
  send(client.parse('', 'SELECT 3'), { frame: say('H', '') });
  t.same(await until('1'), ['1']);
  session.drain();
  send(client.bind('', []), client.execute(), client.sync);
  t.same(await until(), ['2', 'D 3', 'C', 'ZI']);
  t.same(await until(), ['FATAL 57P01']);
});

t.test('ends a drained session that was told something unasked since it was idle', async (t) => {
  const { session, until, send } = await loggedIn();
  const other = await loggedIn();
  send(client.query('LISTEN news'));
  t.same(await until(), ['C', 'ZI']);
  other.send(client.query('NOTIFY news'));
  t.same(await until('A'), ['A']);
  session.drain();
  t.same(await until(), ['FATAL 57P01']);
  other.leave();
  await other.ended;
});

t.test('cuts a session in the middle of a query, whose outcome is not known (08007)', async (t) => {
  const { session, until, send } = await loggedIn();
  send(client.query('SELECT pg_sleep(60)'));
  await settled();
  session.cut();
  t.same(await until(), ['FATAL 08007']);
});

t.test('cuts a session in an open transaction, which is undone (57P01)', async (t) => {
  const { session, until, send } = await loggedIn();
  send(client.query('BEGIN'));
  t.same(await until(), ['C', 'ZT']);
  session.cut();
  t.same(await until(), ['FATAL 57P01']);
});

t.test('ends a session with the certificate of its client (28000), however far that is', async (t) => {
  const { clock, until } = await loggedIn();
  clock.advance(HOUR_MS - 1);
  await settled();
  clock.advance(1);
  t.same(await until(), ['FATAL 28000']);
});

t.test('refuses long messages for which there is no room (53200), and takes them when there is', async (t) => {
  const room = new HeldBytes(300_000);
  const { peer, until, send, leave, ended } = await loggedIn({ deps: { room, maxMessageBytes: 250_000 } });
  const long = client.query(`SELECT length('${'x'.repeat(200_000)}')`);
  t.ok(room.take(150_000), 'another session has so many');
  send(long);
  t.same(await until(), ['ERROR 53200', 'ZI']);
  room.give(150_000);
  send(long);
  t.same(await until(), ['D 200000', 'C', 'ZI']);
  t.equal(room.bytes, 0);
  peer.write(long.frame.subarray(0, 100_000));
  await settled();
  t.equal(room.bytes, long.frame.length);
  leave();
  await ended;
  t.equal(room.bytes, 0);
});

t.test('refuses Query, Parse and Bind over the limit (54000), and the session lives', async (t) => {
  const { until, send } = await loggedIn();
  const long = 'x'.repeat(20_000);
  send(client.query(`SELECT '${long}'`));
  t.same(await until(), ['ERROR 54000', 'ZI']);
  send(client.parse('', `SELECT '${long}'`), client.bind('', []), client.execute(), client.sync);
  t.same(await until(), ['ERROR 54000', 'ZI']);
  send(client.parse('', 'SELECT $1::text'), client.bind('', [long]), client.execute(), client.sync);
  t.same(await until(), ['1', 'ERROR 54000', 'ZI']);
  send(client.query('SELECT 4'));
  t.same(await until(), ['D 4', 'C', 'ZI']);
});

t.test('ends the session over junk of the client (08P01), and over a row beyond the limit', async (t) => {
  const junk = await loggedIn();
  junk.peer.write(Buffer.from('Q\x7f\xff\xff\xff', 'latin1'));
  t.same(await junk.until(), ['FATAL 08P01']);
  const row = await loggedIn();
  row.send(client.query(`SELECT repeat('x', 2000000)`));
  t.same(await row.until(), ['FATAL 08P01']);
});

t.test('ends with a client that goes away in the middle of a query, which is no fault', async (t) => {
  const { leave, send, ended } = await loggedIn();
  send(client.query('SELECT pg_sleep(0.1)'));
  await settled();
  leave();
  t.equal(await ended, undefined);
});
