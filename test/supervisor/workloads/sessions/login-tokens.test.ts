/** What a guard gets of tokens: those of its own users, no more than logins can be, and no word of why not. */
import t from 'tap';
import { SecretBuffer } from '../../../../runtime/secret-buffer.ts';
import type { TokenOutcome } from '../../../../supervisor/workloads/sessions/guard-tally.ts';
import { LoginTokenDesk } from '../../../../supervisor/workloads/sessions/login-tokens.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';

const users = [{ name: 'app', databases: ['shop'], secrets: 0 }];
const PER_SECOND = 200;

function rig({ hasTokens = true, maxSessionsPerClient = 200 } = {}) {
  const sent: object[] = [];
  const asked: string[] = [];
  const counted: TokenOutcome[] = [];
  const logger = new MemoryLogger();
  const clock = new FakeClock();
  const databaseTokens = {
    tokenFor: async (user: string) => {
      asked.push(user);
      return SecretBuffer.take(Buffer.from('token'));
    },
    refused: () => void asked.push('refused'),
  };
  const guard = {
    send: (message: object, secrets: readonly SecretBuffer[] = []) =>
      void sent.push({ ...message, secrets: secrets.map((each) => each.use(String)) }),
  };
  const config = { ingress: { limits: { maxSessionsPerClient } } };
  const deps = { clock, logger, config, databaseTokens: hasTokens ? databaseTokens : undefined };
  const desk = new LoginTokenDesk('c', deps, {
    token: (outcome) => void counted.push(outcome),
  });
  let id = 0;
  /** @returns what becomes of the last of so many questions */
  const ask = async (times = 1, user = 'app') => {
    for (let left = times; left > 0; left -= 1) {
      id += 1;
      await desk.take({ type: 'login-token-wanted', id, user }, { users, guard });
    }
    return counted.at(-1);
  };
  return { sent, asked, counted, logger, clock, desk, guard, ask };
}

t.test('makes a token for a user that this identity may be', async (t) => {
  const { sent, asked, counted, desk, guard } = rig();
  await desk.take({ type: 'login-token-wanted', id: 3, user: 'app' }, { users, guard });
  await desk.take({ type: 'login-token-refused', user: 'app' }, { users, guard });
  t.same(sent, [{ type: 'login-token', id: 3, user: 'app', secrets: ['token'] }]);
  t.same(asked, ['app', 'refused']);
  t.same(counted, ['made']);
});

t.test('rejects a user of another identity, whatever the guard has become (CHILD_TOKEN_DENIED)', async (t) => {
  const { sent, asked, counted, logger, ask } = rig();
  await ask(1, 'owner');
  t.same(sent, [{ type: 'no-login-token', id: 1, user: 'owner', secrets: [] }]);
  t.same(asked, []);
  t.same(counted, ['denied']);
  t.match(logger.records, [
    { level: 'error', event: 'identity.no-login-token', fields: { code: 'CHILD_TOKEN_DENIED' } },
  ]);
});

t.test('rejects every user where tokens are not the login', async (t) => {
  const { sent, ask } = rig({ hasTokens: false });
  t.equal(await ask(), 'denied');
  t.match(sent, [{ type: 'no-login-token', id: 1, user: 'app' }]);
});

t.test('gives all sessions that there may be a token at once', async (t) => {
  t.equal(await rig().ask(PER_SECOND), 'made');
  t.equal(await rig({ maxSessionsPerClient: 1_000 }).ask(1_000), 'made');
});

t.test('rejects more tokens than logins can be, tells it once, and counts each (CHILD_TOKEN_RATE)', async (t) => {
  const { sent, asked, counted, logger, ask } = rig();
  await ask(PER_SECOND + 3);
  t.equal(asked.length, PER_SECOND);
  t.match(sent.at(-1), { type: 'no-login-token', id: PER_SECOND + 3 });
  t.equal(counted.filter((outcome) => outcome === 'limited').length, 3);
  t.match(logger.records, [{ level: 'error', event: 'identity.no-login-token', fields: { code: 'CHILD_TOKEN_RATE' } }]);
  t.equal(logger.records.length, 1);
});

t.test('holds those to the rate, too, that are for nobody', async (t) => {
  const { logger, ask } = rig();
  t.equal(await ask(PER_SECOND + 10, 'owner'), 'limited');
  t.equal(logger.records.length, PER_SECOND + 1);
});

t.test('gives the next login a token five milliseconds after a flood, whatever the flood was', async (t) => {
  const { clock, ask } = rig();
  await ask(10_000);
  clock.advance(5);
  t.equal(await ask(), 'made');
  t.equal(await ask(), 'limited');
});

t.test('tells the next flood again, when the guard has kept to its rate before', async (t) => {
  const { clock, logger, ask } = rig();
  await ask(PER_SECOND + 1);
  clock.advance(500);
  await ask(PER_SECOND);
  t.equal(logger.records.length, 1);
  clock.advance(1_000);
  await ask(PER_SECOND + 1);
  t.equal(logger.records.length, 2);
});
