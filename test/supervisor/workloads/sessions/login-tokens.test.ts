/** What a guard gets of tokens: those of its own users, and no word of why not. */
import t from 'tap';
import { SecretBuffer } from '../../../../runtime/secret-buffer.ts';
import { takeTokenMessage } from '../../../../supervisor/workloads/sessions/login-tokens.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';

const users = [{ name: 'app', databases: ['shop'], secrets: 0 }];

function rig() {
  const sent: object[] = [];
  const asked: string[] = [];
  const logger = new MemoryLogger();
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
  return { sent, asked, logger, databaseTokens, asker: { clientId: 'c', users, guard } };
}

t.test('makes a token for a user that this identity may be', async (t) => {
  const { sent, asked, asker, ...deps } = rig();
  await takeTokenMessage({ type: 'login-token-wanted', id: 3, user: 'app' }, asker, deps);
  await takeTokenMessage({ type: 'login-token-refused', user: 'app' }, asker, deps);
  t.same(sent, [{ type: 'login-token', id: 3, user: 'app', secrets: ['token'] }]);
  t.same(asked, ['app', 'refused']);
});

t.test('rejects a user of another identity, whatever the guard has become (CHILD_TOKEN_DENIED)', async (t) => {
  const { sent, asked, asker, ...deps } = rig();
  await takeTokenMessage({ type: 'login-token-wanted', id: 4, user: 'owner' }, asker, deps);
  t.same(sent, [{ type: 'no-login-token', id: 4, user: 'owner', secrets: [] }]);
  t.same(asked, []);
  t.match(deps.logger.records, [
    { level: 'error', event: 'identity.no-login-token', fields: { code: 'CHILD_TOKEN_DENIED' } },
  ]);
});

t.test('rejects every user where tokens are not the login', async (t) => {
  const { sent, asker, logger } = rig();
  const message = { type: 'login-token-wanted', id: 5, user: 'app' } as const;
  await takeTokenMessage(message, asker, { logger, databaseTokens: undefined });
  t.match(sent, [{ type: 'no-login-token', id: 5, user: 'app' }]);
});
