/** FunctionCall goes past SQL, so that nothing could be judged: it is refused, and the order of replies stays. */
import t from 'tap';
import { converse } from '../../emulator/acra-server/support/converse.ts';
import { client, database } from '../../emulator/acra-server/support/frames.ts';
import { conversationRig, shown } from './support/conversation-rig.ts';

const newConversation = await conversationRig(t);
const call = { type: 'F', frame: Buffer.from('F\0\0\0\x0e\0\0\0\x01\0\0\0\0\0\0', 'latin1'), body: Buffer.alloc(10) };
const trapError = database.error('42601', 'syntax error');

t.test('refuses a call between other requests (0A000), in its place', async (t) => {
  const conversation = newConversation();
  const { toDatabase, toClient } = await converse(
    conversation,
    [client.query('SELECT 1'), call, client.query('SELECT 2')],
    [
      database.complete('SELECT 1'),
      database.ready(),
      trapError,
      database.ready(),
      database.complete('SELECT 1'),
      database.ready(),
    ],
  );
  t.same(shown(toDatabase), ['Q', 'Q', 'Q'], 'the database never sees the call');
  t.same(shown(toClient), ['C', 'Z', 'E 0A000', 'Z', 'C', 'Z']);
  t.notOk(conversation.isBusy);
});

t.test('refuses a call in a failed transaction', async (t) => {
  const { toClient } = await converse(newConversation(), [call], [trapError, database.ready('E')]);
  t.same(shown(toClient), ['E 0A000', 'Z']);
});

t.test('leaves a call to be skipped where the database skips up to Sync', async (t) => {
  const conversation = newConversation();
  const { toClient } = await converse(
    conversation,
    [client.parse('', 'SELEC'), call, client.sync, client.query('SELECT 1')],
    [trapError, database.ready(), database.complete('SELECT 1'), database.ready()],
  );
  t.same(shown(toClient), ['E 42601', 'Z', 'C', 'Z']);
  t.notOk(conversation.isBusy);
});
