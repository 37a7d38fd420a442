/** Logging in to databases that lie: none gets a client in without proof, and none makes us hold or wait without end. */
import { duplexPair } from 'node:stream';
import t from 'tap';
import { MAX_UNAUTHENTICATED_BYTES } from '../../../postgres/message-reader.ts';
import { ScramClient } from '../../../postgres/scram/client.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import {
  LoginRefused,
  logIn,
  MAX_LOGIN_MESSAGE_BYTES,
  passedExchange,
  scramExchange,
} from '../../../sessions/edge/login.ts';
import { MessageStream } from '../../../sessions/message-stream.ts';
import { honestServer } from '../../postgres/scram/support/honest-server.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { outcomeOf } from '../support/outcome.ts';
import { readNow, settled } from '../support/streams.ts';
import { ask, OFFER, say } from './support/lying-database.ts';

const PASSWORD = 'pencil';
const OK = ask(0);
const READY = say('Z', 'I');
const patient = () => AbortSignal.timeout(20_000);

function legPair(options: ConstructorParameters<typeof MessageStream>[1]) {
  const [own, peer] = duplexPair();
  for (const end of [own, peer]) end.on('error', () => undefined);
  return { leg: new MessageStream(own, options), peer };
}

const password = () =>
  scramExchange(
    new ScramClient({
      password: SecretBuffer.take(Buffer.from(PASSWORD)),
      random: seededRandom('login'),
      channelBinding: undefined,
    }),
  );

/** A login by our own password at a database that says this. @returns also all that it was sent */
async function login(...said: readonly Buffer[]) {
  const { leg, peer } = legPair({ maxBytes: MAX_LOGIN_MESSAGE_BYTES });
  const sent: Buffer[] = [];
  peer.on('data', (chunk: Buffer) => sent.push(chunk));
  peer.write(Buffer.concat(said));
  const outcome = await outcomeOf(logIn(leg, password(), patient()));
  return { outcome, sent: Buffer.concat(sent).toString('latin1') };
}

/** As a database that keeps to SCRAM, but for what is changed. */
async function scramLogin(
  change: { readonly final?: (right: Buffer) => Buffer; readonly behind?: readonly Buffer[] } = {},
) {
  const { leg, peer } = legPair({ maxBytes: MAX_LOGIN_MESSAGE_BYTES });
  const database = new MessageStream(peer, { maxBytes: 10_000 });
  const result = outcomeOf(logIn(leg, password(), patient()));
  peer.write(OFFER);
  const first = (await database.next(patient())).body;
  const honest = honestServer({ password: PASSWORD, clientFirst: first.subarray(first.indexOf(0) + 5) });
  peer.write(ask(11, honest.serverFirst));
  const { isRight, serverFinal } = honest.judge((await database.next(patient())).body);
  peer.write(
    Buffer.concat([ask(12, (change.final ?? ((right) => right))(serverFinal)), ...(change.behind ?? [OK, READY])]),
  );
  return { isRight, outcome: await result };
}

t.test('logs in, and returns all that the client is to be told, in order', async (t) => {
  const told = [say('S', 'TimeZone\0UTC\0'), say('N', 'SNOTICE\0\0'), say('K', Buffer.alloc(8))];
  const { isRight, outcome } = await scramLogin({ behind: [OK, ...told, READY] });
  t.ok(isRight);
  t.same(Array.isArray(outcome) && outcome.map(({ frame }) => frame), [OK, ...told, READY]);
});

const WEAKER: readonly (readonly [what: string, said: readonly Buffer[]])[] = [
  ['AuthenticationOk at once', [OK, READY]],
  ['AuthenticationOk behind the offer', [OFFER, OK, READY]],
  ['a password in clear', [ask(3)]],
  ['an MD5 password', [ask(5, 'salt')]],
  ['Kerberos, SCM, GSSAPI, SSPI and what nobody knows', [ask(2)]],
  ['GSSAPI', [ask(7)]],
  ['an unknown method', [ask(255)]],
  ['SCRAM-SHA-256-PLUS only, without a certificate to bind to', [ask(10, 'SCRAM-SHA-256-PLUS\0\0')]],
  ['another mechanism', [ask(10, 'SCRAM-SHA-1\0\0')]],
];
for (const [what, said] of WEAKER) {
  t.test(`refuses ${what} (28000), and sends no password`, async (t) => {
    const { outcome, sent } = await login(...said);
    t.equal(outcome, '28000');
    t.notMatch(sent, PASSWORD);
  });
}

t.test('refuses a wrong server signature (28000), and AuthenticationOk without one', async (t) => {
  const flipped = (right: Buffer) => Buffer.from(right.toString().replace(/v=./, (v) => (v === 'v=A' ? 'v=B' : 'v=A')));
  t.equal((await scramLogin({ final: flipped })).outcome, '28000');
  t.equal((await scramLogin({ final: () => Buffer.from('e=invalid-proof') })).outcome, '28P01');
  t.equal((await scramLogin({ final: () => Buffer.alloc(0) })).outcome, '08P01');
});

t.test('refuses 2^31 iterations before it computes anything (28000)', async (t) => {
  const { leg, peer } = legPair({ maxBytes: MAX_LOGIN_MESSAGE_BYTES });
  const database = new MessageStream(peer, { maxBytes: 10_000 });
  const result = outcomeOf(logIn(leg, password(), patient()));
  peer.write(OFFER);
  const nonce = /r=([^,]*)/.exec((await database.next(patient())).body.toString())?.[1];
  peer.write(ask(11, `r=${nonce}more,s=${Buffer.alloc(16).toString('base64')},i=2147483648`));
  t.equal(await result, '28000');
});

t.test('refuses what does not belong to a login (08P01)', async (t) => {
  const row = say('D', Buffer.of(0, 0));
  for (const said of [
    [READY],
    [row],
    [say('C', 'x\0')],
    [say('R', 'x')],
    [say('G', Buffer.alloc(3))],
    [Buffer.from('HTTP/1.1 400')],
  ]) {
    t.equal((await login(...said)).outcome, '08P01');
  }
  t.equal((await scramLogin({ behind: [OK, OK, READY] })).outcome, '08P01', 'a second AuthenticationOk');
  t.equal((await scramLogin({ behind: [OK, row] })).outcome, '08P01');
});

t.test('refuses lengths of gigabytes, and messages longer than a login has (08P01)', async (t) => {
  for (const header of ['S\x7f\xff\xff\xff', 'R\xff\xff\xff\xff', 'E\0\x01\0\x05', 'N\0\0\0\x03']) {
    t.equal((await login(Buffer.from(header, 'latin1'))).outcome, '08P01');
  }
});

t.test('gives a login up that does not end (08P01): many messages, or much of them', async (t) => {
  t.equal((await login(...Array.from({ length: 1_001 }, () => say('N', '\0')))).outcome, '08P01');
  const big = Array.from({ length: 5 }, () => say('N', Buffer.alloc(60_000)));
  t.equal((await login(...big)).outcome, '08P01');
});

t.test('passes the words of a database that refuses on to the client', async (t) => {
  const refusal = say('E', 'SFATAL\0C28P01\0Mno\0\0');
  const { leg, peer } = legPair({ maxBytes: MAX_LOGIN_MESSAGE_BYTES });
  peer.write(Buffer.concat([OFFER, refusal]));
  const error = await logIn(leg, password(), patient()).catch((thrown: unknown) => thrown);
  t.ok(error instanceof LoginRefused);
  t.same((error as LoginRefused).frame, refusal);
});

t.test('ends with 08006 when the database goes away, and with the signal when it is silent', async (t) => {
  const { leg, peer } = legPair({ maxBytes: MAX_LOGIN_MESSAGE_BYTES });
  peer.write(OFFER);
  peer.end();
  t.equal(await outcomeOf(logIn(leg, password(), patient())), '08006');
  const silent = legPair({ maxBytes: 1_000 });
  const giveUp = new AbortController();
  const result = logIn(silent.leg, password(), giveUp.signal);
  giveUp.abort(new RangeError('late'));
  await t.rejects(result, { message: 'late' });
});

/** A client that logs in itself, and a database. */
function passing() {
  const database = legPair({ maxBytes: MAX_LOGIN_MESSAGE_BYTES });
  const client = legPair({ maxBytes: MAX_UNAUTHENTICATED_BYTES, ifLonger: 'skip' });
  const result = outcomeOf(logIn(database.leg, passedExchange(client.leg), patient()));
  return { database: database.peer, client: client.peer, result };
}

t.test('passes the SCRAM of a client through, message by message, and holds the rest back', async (t) => {
  const { database, client, result } = passing();
  const negotiated = say('v', Buffer.from('0003000200000000', 'hex'));
  database.write(Buffer.concat([negotiated, OFFER]));
  await settled();
  t.same(readNow(client), Buffer.concat([negotiated, OFFER]));
  client.write(say('p', 'first'));
  await settled();
  t.same(readNow(database), say('p', 'first'));
  database.write(ask(11, 'r=x'));
  await settled();
  t.same(readNow(client), ask(11, 'r=x'));
  client.write(say('p', 'last'));
  await settled();
  database.write(Buffer.concat([ask(12, 'v=x'), OK, READY]));
  const outcome = await result;
  t.same(readNow(client), ask(12, 'v=x'), 'that it is in it learns from whoever got the rest');
  t.same(Array.isArray(outcome) && outcome.map(({ frame }) => frame), [OK, READY]);
});

t.test(
  'lets no database ask a client that logs in itself for something weaker, or in without SCRAM (28000)',
  async (t) => {
    for (const said of [[ask(3)], [ask(5, 'salt')], [OK, READY]]) {
      const { database, client, result } = passing();
      database.write(Buffer.concat(said));
      t.equal(await result, '28000');
      t.same(readNow(client), Buffer.alloc(0), 'the client does not see it');
    }
  },
);

t.test('ends a login of a client that answers with something else, or too much (08P01)', async (t) => {
  for (const answer of [say('Q', 'SELECT 1\0'), say('p', Buffer.alloc(MAX_UNAUTHENTICATED_BYTES + 1))]) {
    const { database, client, result } = passing();
    database.write(OFFER);
    await settled();
    client.write(answer);
    t.equal(await result, '08P01');
  }
});

t.test('does not pass messages of a database to a client without end (08P01)', async (t) => {
  for (const endless of [say('v', Buffer.from('0003000200000000', 'hex')), ask(12, 'v=x')]) {
    const { database, result } = passing();
    database.write(Buffer.concat(Array.from({ length: 1_001 }, () => endless)));
    t.equal(await result, '08P01');
  }
});
