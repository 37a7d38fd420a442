/** Messages of a client that were too long to be read. */
import t from 'tap';
import { Refusal } from '../../../acra/statements/refusal.ts';
import { converse } from '../../emulator/acra-server/support/converse.ts';
import { client, database, errorFields } from '../../emulator/acra-server/support/frames.ts';
import { conversationRig, shown } from './support/conversation-rig.ts';

const newConversation = await conversationRig(t);
const EMPTY = Buffer.alloc(0);
const skipped = (type: string) => ({ type, frame: EMPTY, body: EMPTY, skippedBytes: 20_000_000 });
const trapError = database.error('42601', 'syntax error');

t.test('refuses a Query that is too long (54000), and the session goes on', async (t) => {
  const { toDatabase, toClient } = await converse(
    newConversation(),
    [skipped('Q'), client.query('SELECT 1')],
    [trapError, database.ready(), database.complete('SELECT 1'), database.ready()],
  );
  t.same(shown(toDatabase), ['Q', 'Q'], 'something fails in its place');
  t.notMatch(toDatabase[0]!.toString(), 'SELECT');
  t.same(shown(toClient), ['E 54000', 'Z', 'C', 'Z']);
  t.match(errorFields(toClient[0]!.subarray(5)), { S: 'ERROR', M: /^refused: .*20000000 bytes/ });
});

t.test('says of one that found no room that it may be sent again (53200)', async (t) => {
  const refused = { ...skipped('Q'), hadNoRoom: true };
  const { toClient } = await converse(newConversation(), [refused], [trapError, database.ready()]);
  t.same(shown(toClient), ['E 53200', 'Z']);
  t.match(errorFields(toClient[0]!.subarray(5)), { M: /20000000 bytes finds no room: .*; try again/ });
});

t.test('refuses a Parse and a Bind that are too long (54000) in their place of a pipeline', async (t) => {
  for (const type of ['P', 'B']) {
    const { toDatabase, toClient } = await converse(
      newConversation(),
      [
        client.parse('s', 'SELECT 1'),
        client.bind('s', []),
        client.execute(),
        skipped(type),
        client.execute(),
        client.sync,
      ],
      [database.parseComplete, database.bindComplete, database.complete('SELECT 1'), trapError, database.ready()],
    );
    t.equal(
      toDatabase.map((frame) => frame.toString('latin1', 0, 1)).join(''),
      'PBEPS',
      'what follows up to Sync stays here',
    );
    t.same(shown(toClient), ['1', '2', 'C', 'E 54000', 'Z'], type);
  }
});

t.test('leaves the statement that had the name before as it is', async (t) => {
  const conversation = newConversation();
  const insert = 'INSERT INTO person (id, secret) VALUES (1, $1)';
  await converse(conversation, [client.parse('s', insert), client.sync], [database.parseComplete, database.ready()]);
  await converse(conversation, [skipped('P'), client.sync], [trapError, database.ready()]);
  const { toDatabase } = await converse(conversation, [client.bind('s', ['x'])], []);
  t.match(toDatabase[0]!.toString('latin1'), 'sealed x');
});

t.test('refuses every other request that is too long in its place (54000)', async (t) => {
  for (const type of ['D', 'C', 'E', 'F']) {
    const { toDatabase, toClient } = await converse(
      newConversation(),
      [skipped(type), client.sync],
      [trapError, database.ready()],
    );
    t.match(toDatabase[0]?.toString('latin1', 0, 1), /[PQ]/, type);
    t.equal(shown(toClient)[0], 'E 54000', type);
  }
});

t.test('fails a COPY whose data are too long, so that no part of it is stored', async (t) => {
  const conversation = newConversation();
  await conversation.fromClient(client.query('COPY other FROM STDIN'));
  const answer = await conversation.fromClient(skipped('d'));
  t.match(answer.toString('latin1'), /^f....a message of 20000000 bytes is too long\0$/s);
});

t.test('ends the session over a message that has no such length (08P01)', async (t) => {
  for (const type of ['S', 'H', 'f', 'p', 'X', '?']) {
    const error = await newConversation()
      .fromClient(skipped(type))
      .catch((thrown: unknown) => thrown);
    t.match(error, { sqlState: '08P01' }, type);
    t.notOk(error instanceof Refusal, 'after which the session would go on');
  }
});
