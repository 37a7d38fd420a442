/** A database that is older than the grammar by which statements are judged. */
import t from 'tap';
import { converse } from '../../emulator/acra-server/support/converse.ts';
import { client, database } from '../../emulator/acra-server/support/frames.ts';
import { conversationRig, shown } from './support/conversation-rig.ts';

const newConversation = await conversationRig(t);
const failed = [database.error('42601', 'syntax error'), database.ready()];

async function answers(version: string | undefined, sql: string) {
  const conversation = newConversation();
  if (version !== undefined) await conversation.fromDatabase([database.parameterStatus('server_version', version)]);
  const { toClient } = await converse(conversation, [client.query(sql)], failed);
  return shown(toClient);
}

t.test('is not sent numbers and words that it takes for something else', async (t) => {
  for (const version of ['13.23', '14.23 (Debian 14.23-1)', '15.18', 'unknown', undefined])
    for (const sql of [
      'SELECT id, 0x1F FROM person',
      'SELECT 1_000',
      'SELECT id FROM person WHERE system_user = $$x$$',
    ])
      t.same(await answers(version, sql), ['E 0A000', 'Z'], `${version}: ${sql}`);
  for (const version of ['16.0', '16beta1', '18.4'])
    t.same(await answers(version, 'SELECT id, 0x1F FROM person'), ['E 42601', 'Z'], `${version} says so itself`);
  t.same(await answers('13.23', 'SELECT id, 31 FROM person'), ['E 42601', 'Z']);
});
