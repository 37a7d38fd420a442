/** The guard's side of a login with a client's own password: who is asked what, who is told what, and what is left for the database. */
import { duplexPair } from 'node:stream';
import t, { type Test } from 'tap';
import { MAX_UNAUTHENTICATED_BYTES, type Message } from '../../../postgres/message-reader.ts';
import { ScramClient } from '../../../postgres/scram/client.ts';
import { decodeAuthentication, encodeInitialResponse, encodeResponse } from '../../../postgres/scram/sasl-messages.ts';
import { makeVerifier, type ScramVerifier } from '../../../postgres/scram/verifier.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import type { Access } from '../../../sessions/guard/access.ts';
import { SecretChoice } from '../../../sessions/guard/secret-choice.ts';
import { LoginDenied, takeVerifier, verifierLogin } from '../../../sessions/guard/verifier-login.ts';
import { MessageStream } from '../../../sessions/message-stream.ts';
import { rejectsLogin } from '../../postgres/scram/support/refusals.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const BINDING = Buffer.alloc(32, 7);
const { signal } = new AbortController();
const secret = (text: string) => SecretBuffer.take(Buffer.from(text));

async function verifierOf(password: string): Promise<ScramVerifier> {
  return takeVerifier(SecretBuffer.take(await makeVerifier(secret(password), seededRandom(password))));
}
const NOW = await verifierOf('now');
const NEXT = await verifierOf('next');

interface Setting {
  readonly verifiers?: readonly ScramVerifier[];
  /** What the database has. */
  readonly has?: ScramVerifier;
}

function guardWith({ verifiers = [NOW], has = NOW }: Setting = {}) {
  const logger = new MemoryLogger();
  const asked: string[] = [];
  const user = (name: string, secrets: readonly ScramVerifier[]) => ({
    name,
    databases: ['shop'],
    secrets: new SecretChoice(secrets, () => undefined),
  });
  const login = verifierLogin({
    users: [user('app', verifiers), user('reports', [NOW])],
    mockSecret: secret('mock secret'),
    challengeOf: async ({ name }) => {
      asked.push(name);
      return has;
    },
    random: seededRandom('guard'),
    logger,
  });
  return { login, logger, asked };
}

interface Attempt {
  readonly user?: string;
  readonly database?: string;
  readonly password: string;
}

/** A client that logs in as far as the guard lets it. @returns what the guard has of it, and what the client has seen */
async function attempt(
  { login }: ReturnType<typeof guardWith>,
  { user = 'app', database = 'shop', password }: Attempt,
) {
  const [far, near] = duplexPair();
  const guard = new MessageStream(near, { maxBytes: MAX_UNAUTHENTICATED_BYTES, ifLonger: 'skip' });
  const client = new MessageStream(far, { maxBytes: MAX_UNAUTHENTICATED_BYTES });
  const startup = {
    minor: 0,
    parameters: new Map([
      ['user', user],
      ['database', database],
    ]),
  };
  const access = login(startup, guard, signal, BINDING);
  access.catch(() => undefined);
  const scram = new ScramClient({
    password: secret(password),
    random: seededRandom('client'),
    channelBinding: BINDING,
  });
  const next = async () => decodeAuthentication((await client.next(signal)).body);
  const offer = await next();
  const { mechanism, initialResponse } = scram.start('mechanisms' in offer ? offer.mechanisms : []);
  far.write(encodeInitialResponse(mechanism, initialResponse));
  const challenge = await next();
  const data = 'data' in challenge ? challenge.data : Buffer.alloc(0);
  far.write(encodeResponse(await scram.continue(data)));
  const [salt, iterations] = data.toString().split(',').slice(1);
  return { access, mechanism, salt, iterations, client };
}

async function deniesLogin(t: Test, access: Promise<Access>, detail: string): Promise<void> {
  const error = await access.then(
    () => t.fail('it was let in'),
    (reason: unknown) => reason,
  );
  t.type(error, LoginDenied);
  t.match(error, { sqlState: '28P01', message: 'password authentication failed', detail });
}

const saltOf = ({ salt }: ScramVerifier) => `s=${salt.toString('base64')}`;

t.test('keeps a client that has proven itself waiting for the database, with its ClientKey at hand', async (t) => {
  const guard = guardWith();
  const { access, mechanism, client } = await attempt(guard, { password: 'now' });
  t.equal(mechanism, 'SCRAM-SHA-256-PLUS');
  using open = await access;
  t.equal(open.ways.length, 1);
  t.same(guard.asked, [], 'the database has not heard of it yet');
  const told = await Promise.race([client.next(signal), Promise.resolve<Message | undefined>(undefined)]);
  t.equal(told, undefined);
  using exchange = open.ways[0]!.begin(undefined);
  t.match(exchange.lastWord?.toString('latin1'), /^R[\s\S]{8}v=/);
  t.notOk(exchange.isProven);
});

t.test('rejects a wrong password, an unknown user and another database in the same words (28P01)', async (t) => {
  const guard = guardWith();
  const wrong = await attempt(guard, { password: 'wrong' });
  await deniesLogin(t, wrong.access, 'the password is wrong');
  const unknown = await attempt(guard, { user: 'nobody', password: 'now' });
  await deniesLogin(t, unknown.access, 'enclave.yaml does not let this certificate be that user');
  const elsewhere = await attempt(guard, { database: 'archive', password: 'now' });
  await deniesLogin(t, elsewhere.access, 'enclave.yaml does not let this user use that database');
  t.equal(wrong.salt, saltOf(NOW));
  t.equal(elsewhere.salt, saltOf(NOW), 'the salt tells nothing of databases');
  t.same(guard.logger.records, [], 'none of it is an alarm');
});

t.test(
  'challenges a user who is not there as one who is: the same each time, as long, as many iterations',
  async (t) => {
    const [first, again] = [guardWith(), guardWith()];
    const known = await attempt(first, { password: 'wrong' });
    const one = await attempt(first, { user: 'nobody', password: 'x' });
    const two = await attempt(again, { user: 'nobody', password: 'y' });
    const other = await attempt(again, { user: 'somebody', password: 'y' });
    t.equal(one.salt, two.salt);
    t.not(one.salt, other.salt);
    t.equal(one.salt?.length, known.salt?.length);
    t.equal(one.iterations, known.iterations);
  },
);

t.test('takes of two verifiers the one that the database has', async (t) => {
  for (const [has, password] of [
    [NOW, 'now'],
    [NEXT, 'next'],
  ] as const) {
    const { access, salt } = await attempt(guardWith({ verifiers: [NOW, NEXT], has }), { password });
    t.equal(salt, saltOf(has));
    (await access)[Symbol.dispose]();
  }
});

t.test('asks the database for whomever, so that time tells nothing, once a user has two verifiers', async (t) => {
  const guard = guardWith({ verifiers: [NOW, NEXT], has: NEXT });
  for (const user of ['app', 'reports', 'nobody']) {
    await attempt(guard, { user, password: 'wrong' });
  }
  t.same(guard.asked, ['app', 'app', 'app']);
  const { access } = await attempt(guard, { user: 'reports', password: 'now' });
  (await access)[Symbol.dispose]();
});

t.test('lets the database find out that neither verifier is its own, and raises an alarm then', async (t) => {
  const guard = guardWith({ verifiers: [NOW, NEXT], has: await verifierOf('third') });
  const { access, salt } = await attempt(guard, { password: 'now' });
  t.equal(salt, saltOf(NOW));
  using open = await access;
  open.refused?.();
  t.same(guard.logger.records, [{ level: 'error', event: 'guard.verifier-stale', fields: { user: 'app' } }]);
});

t.test('zeroes the ClientKey when the login is over', async (t) => {
  const { access } = await attempt(guardWith(), { password: 'now' });
  const open = await access;
  const exchange = open.ways[0]!.begin(undefined);
  open[Symbol.dispose]();
  await exchange
    .answer({ kind: 'sasl', mechanisms: ['SCRAM-SHA-256'] }, {} as Message, signal)
    .then(async (initial) => {
      const nonce = /r=(.*)$/.exec(initial?.toString('latin1') ?? '')?.[1];
      const data = Buffer.from(`r=${nonce}x,${saltOf(NOW)},i=4096`);
      await t.rejects(exchange.answer({ kind: 'sasl-continue', data }, {} as Message, signal), {
        code: 'RUNTIME_SECRET_WIPED',
      });
    });
});

t.test('rejects whatever else a client says (08P01)', async () => {
  for (const frame of [Buffer.from('Q\0\0\0\x05\0'), Buffer.from('p\0\0\0\x05\0'), Buffer.from('X\0\0\0\x04')]) {
    const [far, near] = duplexPair();
    far.write(frame);
    const guard = new MessageStream(near, { maxBytes: MAX_UNAUTHENTICATED_BYTES, ifLonger: 'skip' });
    const startup = { minor: 0, parameters: new Map([['user', 'app']]) };
    await rejectsLogin(() => guardWith().login(startup, guard, signal, BINDING), '08P01');
  }
});

t.test('rejects a verifier that is none (XX000)', async () => {
  await rejectsLogin(() => takeVerifier(secret('a password')), 'XX000');
});

t.test('gives a client up that says nothing until its time is over', async (t) => {
  const [, near] = duplexPair();
  const guard = new MessageStream(near, { maxBytes: MAX_UNAUTHENTICATED_BYTES, ifLonger: 'skip' });
  const time = new AbortController();
  const access = guardWith().login({ minor: 0, parameters: new Map([['user', 'app']]) }, guard, time.signal, undefined);
  time.abort(new RangeError('over'));
  await t.rejects(access, new RangeError('over'));
});
