/** A guard asks its supervisor for tokens, and keeps none. */
import t from 'tap';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { tokenLogin } from '../../../sessions/guard/access.ts';
import { LoginTokens } from '../../../sessions/guard/login-tokens.ts';
import type { FromGuard } from '../../../sessions/messages.ts';
import { rejectsLogin } from '../../postgres/scram/support/refusals.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';

const secret = () => SecretBuffer.take(Buffer.from('token'));
const isZeroed = (token: SecretBuffer) => {
  try {
    return token.use(() => false);
  } catch {
    return true;
  }
};
const users = [{ name: 'app', databases: ['shop'] }];
const startup = (user: string) => ({
  minor: 0,
  parameters: new Map([
    ['user', user],
    ['database', 'shop'],
  ]),
});

function rig() {
  const said: FromGuard[] = [];
  const tokens = new LoginTokens((message) => said.push(message));
  const logger = new MemoryLogger();
  const login = tokenLogin({ users, tokens, logger });
  const open = (user: string, signal = AbortSignal.timeout(20_000)) =>
    login(startup(user), undefined as never, signal, undefined);
  return { said, tokens, logger, open };
}

t.test('asks for a token for each login, zeroes it behind the login, and tells of a refusal', async (t) => {
  const { said, tokens, logger, open } = rig();
  const opening = open('app');
  t.same(said, [{ type: 'login-token-wanted', id: 1, user: 'app' }]);
  const token = secret();
  tokens.answered({ type: 'login-token', id: 1, user: 'app' }, [token]);
  const access = await opening;
  access.ways[0]?.refused?.();
  t.same(said.slice(1), [{ type: 'login-token-refused', user: 'app' }]);
  t.same(logger.records, [{ level: 'error', event: 'guard.token-refused', fields: { user: 'app' } }]);
  t.notOk(isZeroed(token));
  access[Symbol.dispose]();
  t.ok(isZeroed(token));
});

t.test('rejects a user that the certificate may not be, and asks for nothing (28000)', async (t) => {
  const { said, open } = rig();
  await rejectsLogin(() => open('owner'), '28000');
  t.same(said, []);
});

t.test('rejects where the enclave has no credentials (57P03)', async () => {
  const { tokens, open } = rig();
  const opening = open('app');
  tokens.answered({ type: 'no-login-token', id: 1, user: 'app' }, []);
  await rejectsLogin(() => opening, '57P03');
});

t.test('zeroes a token that nobody waits for any more', async (t) => {
  const { tokens, open } = rig();
  const [left, stranger] = [secret(), secret()];
  const leaving = new AbortController();
  const opening = open('app', leaving.signal);
  leaving.abort(new Error('gone'));
  tokens.answered({ type: 'login-token', id: 1, user: 'app' }, [left]);
  await t.rejects(opening, { message: 'gone' });
  tokens.answered({ type: 'login-token', id: 7, user: 'app' }, [stranger]);
  const other = open('app');
  const ofAnother = secret();
  tokens.answered({ type: 'login-token', id: 2, user: 'other' }, [ofAnother]);
  t.ok(isZeroed(ofAnother), 'the guard before this one asked for it');
  tokens.answered({ type: 'login-token', id: 2, user: 'app' }, [secret()]);
  (await other)[Symbol.dispose]();
  t.ok(isZeroed(left));
  t.ok(isZeroed(stranger));
});
