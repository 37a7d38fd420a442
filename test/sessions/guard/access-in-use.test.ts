/** Secrets that are exchanged while clients log in by them. */
import { duplexPair } from 'node:stream';
import t from 'tap';
import { makeVerifier } from '../../../postgres/scram/verifier.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import type { Access, OpenAccess } from '../../../sessions/guard/access.ts';
import { AccessInUse } from '../../../sessions/guard/access-in-use.ts';
import { accessOf } from '../../../sessions/guard/access-mode.ts';
import { LoginTokens } from '../../../sessions/guard/login-tokens.ts';
import { MessageStream } from '../../../sessions/message-stream.ts';
import { rejectsLogin } from '../../postgres/scram/support/refusals.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const { signal } = new AbortController();
const client = () => new MessageStream(duplexPair()[0], { maxBytes: 1000 });
const STARTUP = {
  minor: 0,
  parameters: new Map([
    ['user', 'app'],
    ['database', 'shop'],
  ]),
};
const secret = (text: string) => SecretBuffer.take(Buffer.from(text));
const isZeroed = (buffer: SecretBuffer) => {
  try {
    return buffer.use(() => false);
  } catch {
    return true;
  }
};

function accessBy(login: 'certificate' | 'verifier', secrets: readonly SecretBuffer[]) {
  const door = {
    database: { address: { kind: 'tcp', host: '127.0.0.1', port: 1 }, serverName: 'db', caPem: '', minTls: 'TLSv1.3' },
    maxDatabaseMessageBytes: 1000,
    clock: new FakeClock(0),
  } as const;
  const users = [{ name: 'app', databases: ['shop'], secrets: secrets.length - 1 }];
  const deps = { random: seededRandom('guard'), logger: new MemoryLogger(), tokens: new LoginTokens(() => undefined) };
  return accessOf(deps, { login, users }, door, secrets);
}

const logIn = (access: { readonly open: OpenAccess }): Promise<Access> =>
  access.open(STARTUP, client(), signal, undefined);

t.test(
  'lets a login that has begun go on with the secrets that it began with, and zeroes them behind it',
  async (t) => {
    const old = [secret('mock'), secret('now')];
    const next = [secret('mock'), secret('now'), secret('next')];
    const inUse = new AccessInUse(accessBy('certificate', old));
    const before = await logIn(inUse);
    inUse.change(accessBy('certificate', next));
    t.notOk(old.some(isZeroed));
    using after = await logIn(inUse);
    t.equal(before.ways.length, 1);
    t.equal(after.ways.length, 2, 'those that come have the new ones');
    before[Symbol.dispose]();
    t.ok(old.every(isZeroed));
    t.notOk(next.some(isZeroed));
  },
);

t.test('counts a login that was refused, or disposed of twice, once', async (t) => {
  const old = [secret('mock'), secret('now')];
  const inUse = new AccessInUse(accessBy('certificate', old));
  const stranger = { minor: 0, parameters: new Map([['user', 'nobody']]) };
  await rejectsLogin(() => inUse.open(stranger, client(), signal, undefined), '28000');
  const [one, two] = [await logIn(inUse), await logIn(inUse)];
  one[Symbol.dispose]();
  one[Symbol.dispose]();
  inUse.change(accessBy('certificate', [secret('mock'), secret('next')]));
  t.notOk(old.some(isZeroed), 'the other one needs them');
  two[Symbol.dispose]();
  t.ok(old.every(isZeroed));
});

t.test('zeroes secrets at once that no login uses', async (t) => {
  const old = [secret('mock'), secret('now')];
  const inUse = new AccessInUse(accessBy('certificate', old));
  inUse.change(accessBy('certificate', [secret('mock'), secret('next')]));
  t.ok(old.every(isZeroed));
});

t.test('zeroes all that it was given where one of the verifiers is none', async (t) => {
  const text = SecretBuffer.take(await makeVerifier(secret('pencil'), seededRandom('verifier')));
  const given = [secret('mock'), text, secret('no verifier')];
  await rejectsLogin(() => accessBy('verifier', given), 'XX000');
  t.ok(given.every(isZeroed));
});
