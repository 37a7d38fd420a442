/** The login towards a database: which mechanism is taken, what is sent, and what counts as proven. */
import t from 'tap';
import type { ScramClientOptions } from '../../../postgres/scram/client.ts';
import { ScramClient, StaleVerifierError } from '../../../postgres/scram/client.ts';
import { authMessage } from '../../../postgres/scram/exchange.ts';
import { deriveKeys, hmac, storedKeyOf, xor } from '../../../postgres/scram/keys.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { honestServer } from './support/honest-server.ts';
import { PASSWORD, rejectsLogin } from './support/refusals.ts';

const BINDING = Buffer.alloc(32, 7);
const PLAIN = 'SCRAM-SHA-256';
const PLUS = 'SCRAM-SHA-256-PLUS';

const secret = (text: string) => SecretBuffer.take(Buffer.from(text));

function client(overrides: Partial<ScramClientOptions> = {}): ScramClient {
  const random = seededRandom('client');
  return new ScramClient({ password: secret(PASSWORD), random, channelBinding: undefined, ...overrides });
}

t.test("computes RFC 7677's example", async (t) => {
  const keys = await deriveKeys(secret(PASSWORD), Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'), 4096);
  const message = authMessage(
    Buffer.from('n=user,r=rOprNGfwEbeRWgbNEkqO'),
    Buffer.from('r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'),
    Buffer.from('c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'),
  );
  const proof = xor(keys.clientKey, hmac(keys.storedKey, message));
  t.equal(proof.toString('base64'), 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=');
  t.equal(hmac(keys.serverKey, message).toString('base64'), '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
  t.ok(storedKeyOf(keys.clientKey).equals(keys.storedKey));
});

const CHOICES = [
  {
    what: 'binds where both sides can',
    offered: [PLUS, PLAIN],
    channelBinding: BINDING,
    mechanism: PLUS,
    flag: 'p=tls-server-end-point',
  },
  { what: 'says that it could have bound', offered: [PLAIN], channelBinding: BINDING, mechanism: PLAIN, flag: 'y' },
  {
    what: 'does not bind without data',
    offered: [PLUS, PLAIN],
    channelBinding: undefined,
    mechanism: PLAIN,
    flag: 'n',
  },
  {
    what: 'passes over what it does not know',
    offered: ['OAUTHBEARER', PLAIN],
    channelBinding: undefined,
    mechanism: PLAIN,
    flag: 'n',
  },
];
for (const { what, offered, channelBinding, mechanism, flag } of CHOICES) {
  t.test(`${what}: ${mechanism} with ${flag}`, async (t) => {
    const login = client({ channelBinding });
    const started = login.start(offered);
    t.equal(started.mechanism, mechanism);
    const nonce = seededRandom('client').bytes(18).toString('base64');
    t.equal(started.initialResponse.toString(), `${flag},,n=,r=${nonce}`);

    const server = honestServer({ password: PASSWORD, clientFirst: started.initialResponse });
    const clientFinal = await login.continue(server.serverFirst);
    const bound = flag.startsWith('p') ? BINDING : Buffer.alloc(0);
    const input = Buffer.concat([Buffer.from(`${flag},,`), bound]).toString('base64');
    t.match(clientFinal.toString(), new RegExp(`^c=${input.replaceAll('+', '\\+')},r=`));
    const { isRight, serverFinal } = server.judge(clientFinal);
    t.ok(isRight, 'the proof is right');
    t.notOk(login.isProven, 'the server has proven nothing yet');
    login.finish(serverFinal);
    t.ok(login.isProven);
  });
}

t.test('rejects a list of mechanisms without SCRAM-SHA-256 (28000)', async (t) => {
  for (const offered of [[], ['SCRAM-SHA-1', 'OAUTHBEARER'], ['scram-sha-256'], [PLUS]]) {
    await rejectsLogin(() => client().start(offered), '28000');
  }
  t.pass('the last one cannot be bound to');
});

t.test('keeps proof and signature right for the longest salt and the most iterations', async (t) => {
  const login = client();
  const { initialResponse: clientFirst } = login.start([PLAIN]);
  const server = honestServer({ password: PASSWORD, clientFirst, salt: Buffer.alloc(1024, 1), iterations: 100_000 });
  const { isRight, serverFinal } = server.judge(await login.continue(server.serverFirst));
  t.ok(isRight);
  login.finish(serverFinal);
});

async function keyLogin(database: { salt?: Buffer; iterations?: number } = {}) {
  const salt = Buffer.from('salt of 16 bytes');
  const keys = await deriveKeys(secret(PASSWORD), salt, 4096);
  const login = ScramClient.fromKeys({
    clientKey: SecretBuffer.take(keys.clientKey),
    storedKey: SecretBuffer.take(keys.storedKey),
    serverKey: SecretBuffer.take(keys.serverKey),
    ...{ salt, iterations: 4096, random: seededRandom('client'), channelBinding: BINDING },
  });
  const { initialResponse: clientFirst } = login.start([PLUS, PLAIN]);
  return { login, server: honestServer({ password: PASSWORD, clientFirst, salt, ...database }) };
}

t.test('logs in with ClientKey alone, bound as with a password', async (t) => {
  const { login, server } = await keyLogin();
  const { isRight, serverFinal } = server.judge(await login.continue(server.serverFirst));
  t.ok(isRight);
  login.finish(serverFinal);
  t.ok(login.isProven);
});

t.test(
  'rejects a database whose salt or count are not those of the verifier (28P01, StaleVerifierError)',
  async (t) => {
    for (const changed of [
      { salt: Buffer.from('salt of 16 bytez') },
      { salt: Buffer.from('short') },
      { iterations: 4097 },
    ]) {
      const { login, server } = await keyLogin(changed);
      t.ok((await rejectsLogin(() => login.continue(server.serverFirst), '28P01')) instanceof StaleVerifierError);
      await rejectsLogin(() => login.finish(Buffer.from('v=')), '08P01');
    }
  },
);

t.test('leaves the keys that it was lent as they are', async (t) => {
  const clientKey = SecretBuffer.take(Buffer.alloc(32, 1));
  const storedKey = SecretBuffer.take(Buffer.alloc(32, 2));
  const serverKey = SecretBuffer.take(Buffer.alloc(32, 3));
  const stored = { salt: Buffer.from('salt of 16 bytes'), iterations: 4096 };
  const login = ScramClient.fromKeys({
    clientKey,
    storedKey,
    serverKey,
    ...stored,
    random: seededRandom('a'),
    channelBinding: undefined,
  });
  const { initialResponse: clientFirst } = login.start([PLAIN]);
  await login.continue(honestServer({ password: PASSWORD, clientFirst }).serverFirst);
  login.dispose();
  for (const [index, key] of [clientKey, storedKey, serverKey].entries()) {
    t.ok(key.use((bytes) => bytes.equals(Buffer.alloc(32, index + 1))));
  }
});

t.test('rejects each step out of turn, and all that follows it (08P01)', async (t) => {
  const fresh = client();
  await rejectsLogin(() => fresh.continue(Buffer.from('r=x,s=eA==,i=4096')), '08P01');
  await rejectsLogin(() => fresh.start([PLAIN]), '08P01');

  const twice = client();
  const { initialResponse: clientFirst } = twice.start([PLAIN]);
  const server = honestServer({ password: PASSWORD, clientFirst });
  const first = twice.continue(server.serverFirst);
  await rejectsLogin(() => twice.continue(server.serverFirst), '08P01');
  await rejectsLogin(() => first, '08P01');

  const early = client();
  early.start([PLAIN]);
  await rejectsLogin(() => early.finish(Buffer.from('v=')), '08P01');
  t.notOk(early.isProven);
});

t.test('sends nothing once it is disposed of, also while keys are derived', async (t) => {
  const login = client();
  const { initialResponse: clientFirst } = login.start([PLAIN]);
  const answer = login.continue(honestServer({ password: PASSWORD, clientFirst }).serverFirst);
  login.dispose();
  await rejectsLogin(() => answer, '08P01');
  t.notOk(login.isProven);
});

t.test('learns what a database would ask, and goes no further', async (t) => {
  const asking = ScramClient.asking({ random: seededRandom('client'), channelBinding: undefined });
  const { initialResponse } = asking.start([PLAIN]);
  const salt = Buffer.from('another salt');
  const { serverFirst } = honestServer({ password: PASSWORD, clientFirst: initialResponse, salt, iterations: 5000 });
  t.same(asking.challenge(serverFirst), { salt, iterations: 5000 });
  await rejectsLogin(() => asking.continue(serverFirst), '08P01');
  t.notOk(asking.isProven);
});

t.test('rejects a challenge that is out of bounds or not for it', async () => {
  const challengeFor = (text: string) => () => {
    const asking = ScramClient.asking({ random: seededRandom('client'), channelBinding: undefined });
    asking.start([PLAIN]);
    return asking.challenge(Buffer.from(text));
  };
  await rejectsLogin(challengeFor('r=of-somebody-else,s=c2FsdA==,i=4096'), '28000');
  await rejectsLogin(
    () => ScramClient.asking({ random: seededRandom('c'), channelBinding: undefined }).challenge(Buffer.from('')),
    '08P01',
  );
});
