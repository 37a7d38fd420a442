/**
 * Clients that log in themselves (docs/database-login.md), and attack there: against the guard's verifiers (`login: verifier`), and against the
 * database through the guard (`login: client`). A certificate stands before both.
 */
import pg from 'pg';
import t, { type Test } from 'tap';
import { DATABASE_NAME, ENCLAVE_NAME } from '../../cli/demo/certificates.ts';
import { APPLICATION, DATABASE } from '../../cli/demo/database.ts';
import { makeVerifier } from '../../postgres/scram/verifier.ts';
import { systemRandom } from '../../runtime/random.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { type Attacked, attackedStack, liedToStack } from './support/attacked.ts';
import { holdFlood } from './support/cases.ts';
import { HonestClient, holdHonest, tellHonest } from './support/honest.ts';
import { BINDING_INSULTS, DENIED, insultLogin, LOGIN_INSULTS, type LoginInsult } from './support/login-insults.ts';
import { LOGIN_LIES, type LoginLie } from './support/login-lies.ts';
import { begun } from './support/pace.ts';
import { RawClient, secure, startupPacket } from './support/raw-client.ts';

const MODES = ['verifier', 'client'] as const;
type Mode = (typeof MODES)[number];
/** loginMs of ingress.limits, and time for a busy machine. */
const MAX_LOGIN_MS = 25_000;
const TRIES = 20;

/** The database gets the verifier that the enclave has. */
async function giveVerifier({ stack }: Attacked, verifier: string): Promise<void> {
  const { postgres, certificates } = stack.parts;
  const { user, password } = APPLICATION;
  const ssl = { ca: certificates.databaseCaPem, servername: DATABASE_NAME };
  const session = new pg.Client({ host: postgres.host, port: postgres.port, database: DATABASE, user, password, ssl });
  await session.connect();
  await session.query(`ALTER ROLE ${user} PASSWORD '${verifier}'`);
  await session.end();
}

const newVerifier = async () =>
  (await makeVerifier(SecretBuffer.take(Buffer.from(APPLICATION.password)), systemRandom)).toString();

async function stackOf(t: Test, login: Mode): Promise<{ readonly target: Attacked; readonly honest: HonestClient }> {
  const { password } = APPLICATION;
  const verifier = await newVerifier();
  const target = await attackedStack(t, {
    enclaveSettings: { database: { login } },
    databaseSecrets: { secret: verifier },
  });
  if (login === 'verifier') await giveVerifier(target, verifier);
  return { target, honest: await HonestClient.start(t, target, { password }) };
}

async function holdInsults(t: Test, target: Attacked, insults: Readonly<Record<string, LoginInsult>>): Promise<void> {
  for (const [name, insult] of Object.entries(insults)) {
    const { sqlState, message, types } = await insultLogin(target, insult);
    t.equal(sqlState, insult.told, `${name}: ${message}`);
    t.match(types, /^R+E$/, `${name}: challenges and an error, nothing else`);
  }
}

/** The same words, and a challenge of the same kind, which is the same each time. */
async function holdDenied(t: Test, target: Attacked, words: (name: string) => string): Promise<void> {
  for (const [name, insult] of Object.entries(DENIED)) {
    const answers = await Promise.all([insultLogin(target, insult), insultLogin(target, insult)]);
    const [{ sqlState, message, types, challenge }, again] = answers;
    t.same([sqlState, message], ['28P01', words(insult.asks?.['user'] ?? APPLICATION.user)], name);
    t.equal(types, 'RRE');
    t.match(challenge, /^s=[A-Za-z0-9+/]{22}==,i=4096$/, `${name}: ${challenge}`);
    t.equal(challenge, again?.challenge, 'the salt is always the same');
  }
}

const middle = (times: readonly number[]) => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;

async function tellTimes(t: Test, target: Attacked): Promise<void> {
  for (const [name, insult] of Object.entries(DENIED)) {
    const times: number[] = [];
    for (let count = 0; count < TRIES; count += 1) times.push((await insultLogin(target, insult)).tookMs);
    t.comment(`${name}: ${middle(times).toFixed(1)} ms`);
  }
}

for (const mode of MODES) {
  t.test(`clients that log in themselves (${mode})`, { timeout: 300_000 }, async (t) => {
    const { target, honest } = await stackOf(t, mode);
    const silent = new RawClient(await secure(target, target.attacker));
    silent.send(startupPacket());
    const beganMs = performance.now();
    const gone = silent.untilEnd().then((how) => ({ how, tookMs: performance.now() - beganMs }));

    await t.test('are told no more than that it failed, whoever they say they are (28P01)', async (t) => {
      const own = 'password authentication failed';
      await holdDenied(t, target, (user) => (mode === 'verifier' ? own : `${own} for user "${user}"`));
      await tellTimes(t, target);
    });
    await t.test('get an error for what is no login', async (t) => {
      await holdInsults(t, target, { ...LOGIN_INSULTS, ...(mode === 'verifier' ? BINDING_INSULTS : {}) });
    });
    await t.test('try 50 passwords a second', (t) =>
      holdFlood(t, target, honest, 'wrong passwords', (target) =>
        begun(50, () => void insultLogin(target, DENIED['a wrong password'] as LoginInsult).catch(() => undefined)),
      ),
    );
    await t.test('are gone in time where they never answer (57014)', async (t) => {
      const { how, tookMs } = await gone;
      t.equal(how, 'ended');
      t.ok(tookMs < MAX_LOGIN_MS, `after ${(tookMs / 1000).toFixed(1)} s`);
      t.equal(silent.errors[0]?.sqlState, '57014', silent.errors[0]?.message ?? '');
    });
    const report = await honest.report();
    tellHonest(t, 'meanwhile', report);
    holdHonest(t, 'meanwhile', report);
    await honest.end();
  });
}

/** Of the enclave's own login: the client has proven itself by then, and has nothing that they could be asked for. */
const LIES: Readonly<Record<string, string>> = {
  'asks for 2,147,483,648 iterations': '28000',
  'asks for 1 iteration': '28000',
  'lets in without a login': '28000',
  'asks for a password in clear': '28000',
  'does not know the password, and lets in': '28P01',
};

t.test('a database that lies to an enclave with verifiers', { timeout: 120_000 }, async (t) => {
  const secret = await newVerifier();
  const target = await liedToStack(t, {
    enclaveSettings: { database: { login: 'verifier' } },
    databaseSecrets: { secret },
  });
  await giveVerifier(target, secret);
  const { password } = APPLICATION;
  const honest = await HonestClient.start(t, target, { password });
  const { applicationCaPem: ca, client } = target.stack.parts.certificates;
  for (const [name, told] of Object.entries(LIES)) {
    const { lie } = LOGIN_LIES[name] as LoginLie;
    target.database.lies.set(name, lie);
    const session = new pg.Client({
      ...target.address,
      user: APPLICATION.user,
      database: DATABASE,
      password,
      application_name: name,
      ssl: { ca, cert: client.certificatePem, key: client.privateKeyPem, servername: ENCLAVE_NAME },
    });
    await t.rejects(session.connect(), { code: told }, name);
  }
  const report = await honest.report();
  tellHonest(t, 'meanwhile', report);
  holdHonest(t, 'meanwhile', report);
  await honest.end();
});
