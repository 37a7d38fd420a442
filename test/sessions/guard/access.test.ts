/** Whom a certificate may be in the database, and which of two passwords is tried first. */
import { duplexPair } from 'node:stream';
import t from 'tap';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { certificateLogin } from '../../../sessions/guard/access.ts';
import { accessOf } from '../../../sessions/guard/access-mode.ts';
import { LoginTokens } from '../../../sessions/guard/login-tokens.ts';
import { SecretChoice } from '../../../sessions/guard/secret-choice.ts';
import { MessageStream } from '../../../sessions/message-stream.ts';
import { rejectsLogin } from '../../postgres/scram/support/refusals.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const { signal } = new AbortController();
const client = () => new MessageStream(duplexPair()[0], { maxBytes: 1000 });
const startup = (user: string, database: string) => ({
  minor: 0,
  parameters: new Map([
    ['user', Buffer.from(user).toString('latin1')],
    ['database', Buffer.from(database).toString('latin1')],
  ]),
});

function guardWith(...passwords: readonly string[]) {
  const logger = new MemoryLogger();
  const secrets = new SecretChoice(
    passwords.map((text) => SecretBuffer.take(Buffer.from(text))),
    () => undefined,
  );
  const users = [{ name: 'Ärzte', databases: ['Klinik'], secrets }];
  return { open: certificateLogin({ users, random: seededRandom('guard'), logger }), logger };
}

t.test('lets a certificate be the user that enclave.yaml names, whatever its letters', async (t) => {
  const { open } = guardWith('now');
  using access = await open(startup('Ärzte', 'Klinik'), client(), signal, undefined);
  t.equal(access.ways.length, 1);
});

t.test('rejects another user and another database, and says what is allowed (28000)', async (t) => {
  const { open } = guardWith('now');
  const user = await rejectsLogin(() => open(startup('postgres', 'Klinik'), client(), signal, undefined), '28000');
  t.equal(
    user.message,
    'this certificate may not be user "postgres"; database.users of enclave.yaml allows it "Ärzte"',
  );
  const database = await rejectsLogin(() => open(startup('Ärzte', 'postgres'), client(), signal, undefined), '28000');
  t.match(database.message, 'may not use database "postgres"');
});

t.test('tries first the password that worked last, and raises an alarm where none does', async (t) => {
  const { open, logger } = guardWith('now', 'next');
  using first = await open(startup('Ärzte', 'Klinik'), client(), signal, undefined);
  first.ways[1]?.worked?.();
  using second = await open(startup('Ärzte', 'Klinik'), client(), signal, undefined);
  t.equal(second.ways.length, 2);
  second.ways[0]?.worked?.();
  second.refused?.();
  t.same(logger.records, [{ level: 'error', event: 'guard.password-refused', fields: { user: 'Ärzte' } }]);
});

t.test('rejects to serve with a verifier that is none, or without the secret of mock challenges (XX000)', async () => {
  const deps = { random: seededRandom('guard'), logger: new MemoryLogger(), tokens: new LoginTokens(() => undefined) };
  const users = [{ name: 'app', databases: ['app'], secrets: 1 }];
  const options = { login: 'verifier', users } as const;
  const door = {
    database: { address: { kind: 'tcp', host: '127.0.0.1', port: 1 }, serverName: 'db', caPem: '', minTls: 'TLSv1.3' },
    maxDatabaseMessageBytes: 1000,
    clock: new FakeClock(0),
  } as const;
  const secrets = () => ['mock', 'password'].map((text) => SecretBuffer.take(Buffer.from(text)));
  await rejectsLogin(() => accessOf(deps, options, door, secrets()), 'XX000');
  await rejectsLogin(() => accessOf(deps, options, door, []), 'XX000');
});
