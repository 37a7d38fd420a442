/** Rows that cannot be read: nothing can fail in their place, so what a client is told must not be more than is true. */
import t from 'tap';
import { SessionError } from '../../../postgres/session-error.ts';
import { converse } from '../../emulator/acra-server/support/converse.ts';
import { client, database } from '../../emulator/acra-server/support/frames.ts';
import { outcomeOf } from '../../sessions/support/outcome.ts';
import { conversationRig, shown, UNREADABLE } from './support/conversation-rig.ts';

const newConversation = await conversationRig(t);
const SELECT = 'SELECT secret FROM person';
const described = database.rowDescription([['secret', 17]]);
const row = database.row(['\\x00']);
const done = database.complete('SELECT 2');
const bound = [client.parse('', SELECT), client.bind('', []), client.execute()];
const readsBound = [database.parseComplete, database.bindComplete, row, row, done];

t.test('tells of them once in a simple query, then only that the database is ready', async (t) => {
  const answers = [described, row, row, row, done, database.ready()];
  const { toClient } = await converse(newConversation(UNREADABLE), [client.query(SELECT)], answers);
  t.same(shown(toClient), ['T', 'E 42000', 'Z']);
});

t.test('does the same in the extended protocol where only Sync comes behind', async (t) => {
  const { toClient } = await converse(
    newConversation(UNREADABLE),
    [...bound, client.sync],
    [...readsBound, database.ready()],
  );
  t.same(shown(toClient), ['1', '2', 'E 42000', 'Z']);
});

t.test('goes on after it, also with what was asked behind that Sync', async (t) => {
  let isReadable = false;
  const conversation = newConversation({
    rows: async (frames, kindsOf) => (isReadable ? frames : UNREADABLE.rows!(frames, kindsOf)),
  });
  const first = await converse(
    conversation,
    [...bound, client.sync, ...bound, client.sync, client.query(SELECT)],
    [...readsBound, database.ready()],
  );
  t.same(shown(first.toClient), ['1', '2', 'E 42000', 'Z']);
  isReadable = true;
  const answers = [...readsBound, database.ready(), described, row, done, database.ready()];
  const { toClient } = await converse(conversation, [], answers);
  t.same(shown(toClient), ['1', '2', 'D', 'D', 'C', 'Z', 'T', 'D', 'C', 'Z']);
  t.notOk(conversation.isBusy);
});

t.test('ends the session where the database would carry out more before the next Sync', async (t) => {
  for (const behind of [bound, [client.execute()], [client.parse('x', 'SELECT 1')], [client.close('P', '')], []]) {
    t.equal(await outcomeOf(converse(newConversation(UNREADABLE), [...bound, ...behind], readsBound)), '42000');
  }
});

t.test('lets pass what answers no request, and the end of the transaction', async (t) => {
  const notice = { ...database.error('01000', 'x'), type: 'N' };
  const status = database.parameterStatus('TimeZone', 'UTC');
  const answers = [described, row, status, notice, row, done, database.ready('T')];
  const { toClient } = await converse(newConversation(UNREADABLE), [client.query(SELECT)], answers);
  t.same(shown(toClient), ['T', 'E 42000', 'S', 'E 01000', 'Z']);
  t.same(toClient.at(-1), database.ready('T').frame);
});

t.test('leaves out a later error of the database: a client waits for one only', async (t) => {
  const answers = [described, row, database.error('57014', 'canceled'), database.ready()];
  const { toClient } = await converse(newConversation(UNREADABLE), [client.query(SELECT)], answers);
  t.same(shown(toClient), ['T', 'E 42000', 'Z']);
});

t.test('ends the session over what is no refusal', async (t) => {
  const broken = newConversation({ rows: async () => Promise.reject(new SessionError('08P01', 'malformed message')) });
  t.equal(await outcomeOf(converse(broken, [client.query(SELECT)], [described, row])), '08P01');
});

t.test('ends the session where a setting would make statements ambiguous, also while rows are left out', async (t) => {
  for (const [name, value] of [
    ['standard_conforming_strings', 'off'],
    ['client_encoding', 'SJIS'],
    ['client_encoding', 'gbk'],
  ] as const) {
    const answers = [described, row, database.parameterStatus(name, value)];
    t.equal(await outcomeOf(converse(newConversation(UNREADABLE), [client.query(SELECT)], answers)), '22023');
  }
});
