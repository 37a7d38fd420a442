/** Which prepared statement a Bind means is the database's knowledge: the stand-in follows it through failures and skips. */
import t from 'tap';
import { Conversation } from '../../../acra/conversation/conversation.ts';
import { StatementJudge } from '../../../acra/statements/statement-judge.ts';
import { CipherProtector } from '../../../emulator/acra-server/protector.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { converse } from './support/converse.ts';
import { client, database } from './support/frames.ts';
import { tables, vectorCipher } from './support/vector-cipher.ts';

const judge = await StatementJudge.start(tables, systemClock);
t.teardown(() => judge.stop());
const cipher = await vectorCipher(t);
const newConversation = () =>
  new Conversation({ judge, protector: new CipherProtector(cipher, false), refusedBy: 'refused' });
const INSERT = 'INSERT INTO v (id, secret) VALUES ($1, $2)';

t.test('keeps the statement that the database keeps when a Parse of the same name fails', async (t) => {
  const conversation = newConversation();
  const isEncrypted = async () =>
    !(await conversation.fromClient(client.bind('s', ['1', 'plaintext']))).toString().includes('plaintext');
  await converse(conversation, [client.parse('s', INSERT), client.sync], [database.parseComplete, database.ready()]);
  await converse(
    conversation,
    [client.parse('s', 'SELECT $1, $2'), client.sync, client.parse('s', 'SELECT $2, $1'), client.sync],
    [database.error('42P05', 'exists'), database.ready(), database.error('42P05', 'exists'), database.ready()],
  );
  t.ok(await isEncrypted(), 'after failures that were pipelined');
  await converse(conversation, [client.sync], [database.error('22000', 'the bind'), database.ready()]);
  await converse(conversation, [client.query('x y')], [database.error('42601', ''), database.ready()]);
  const skipped = [client.bind('unknown', []), client.close('S', 's'), client.parse('s', 'SELECT $1, $2'), client.sync];
  await converse(conversation, skipped, [database.error('26000', 'unknown'), database.ready()]);
  t.ok(await isEncrypted(), 'after a Close and a Parse that were skipped');
});

t.test('follows a statement that is closed and parsed anew', async (t) => {
  const conversation = newConversation();
  const requests = [client.parse('s', INSERT), client.close('S', 's'), client.parse('s', 'SELECT $1, $2'), client.sync];
  const answers = [database.parseComplete, database.closeComplete, database.parseComplete, database.ready()];
  await converse(conversation, requests, answers);
  const bind = client.bind('s', ['1', 'x']);
  t.same(await conversation.fromClient(bind), bind.frame);
});

t.test('rejects EXECUTE that would pass values for protected columns (42000)', async (t) => {
  const conversation = newConversation();
  const { toDatabase } = await converse(
    conversation,
    [client.parse('naïve', INSERT), client.query(`EXECUTE "naïve"(1, 'plaintext')`)],
    [],
  );
  t.notMatch(toDatabase[1]?.toString(), 'plaintext');
  const other = client.query('EXECUTE other(1)');
  t.same(await conversation.fromClient(other), other.frame);
});

t.test('takes the unnamed statement for what the database takes it for, when a Parse of it was skipped', async (t) => {
  const conversation = newConversation();
  const first = [client.parse('', INSERT), client.sync];
  await converse(conversation, first, [database.parseComplete, database.ready()]);
  const skipped = [client.bind('unknown', []), client.parse('', 'SELECT $1, $2'), client.sync];
  await converse(conversation, skipped, [database.error('26000', 'unknown'), database.ready()]);
  const bound = await conversation.fromClient(client.bind('', ['1', 'plaintext']));
  t.notMatch(bound.toString(), 'plaintext', 'it is still the INSERT');
});

t.test('refuses to bind the unnamed statement while it may be one of two', async (t) => {
  const conversation = newConversation();
  await converse(conversation, [client.parse('', INSERT), client.sync], [database.parseComplete, database.ready()]);
  const { toDatabase } = await converse(
    conversation,
    [client.parse('', 'SELECT $1, $2'), client.sync, client.bind('', ['1', 'plaintext'])],
    [],
  );
  t.notMatch(toDatabase[2]?.toString(), 'plaintext');
});
