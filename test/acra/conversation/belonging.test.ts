/** Messages that do not belong to a session, from either side, and those that are too long for one. */
import t from 'tap';
import { Conversation } from '../../../acra/conversation/conversation.ts';
import { StatementJudge } from '../../../acra/statements/statement-judge.ts';
import { CipherProtector } from '../../../emulator/acra-server/protector.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { client, database, errorFields, type Frame } from '../../emulator/acra-server/support/frames.ts';
import { tables, vectorCipher } from '../../emulator/acra-server/support/vector-cipher.ts';
import { outcomeOf } from '../../sessions/support/outcome.ts';

const judge = await StatementJudge.start(tables, systemClock);
t.teardown(() => judge.stop());
const cipher = await vectorCipher(t);

function session() {
  const protector = new CipherProtector(cipher, false);
  const conversation = new Conversation({ judge, protector, refusedBy: 'refused' });
  conversation.loggedIn();
  return conversation;
}

function message(type: string): Frame {
  const frame = Buffer.from([type.charCodeAt(0), 0, 0, 0, 8, 0, 0, 0, 3]);
  return { type, frame, body: frame.subarray(5) };
}
const tooLong = (type: string) => ({ type, frame: Buffer.alloc(0), body: Buffer.alloc(0), skippedBytes: 20_000_000 });
const COPY = 'COPY notes FROM STDIN';

for (const type of ['R', 'K', 'v', 'W', 'V', '!', '\0']) {
  t.test(`refuses ${JSON.stringify(type)} from the database behind the login (08P01)`, async (t) => {
    t.equal(await outcomeOf(session().fromDatabase([message(type)])), '08P01');
  });
}

for (const type of ['p', 'R', '!', '\0']) {
  t.test(`refuses ${JSON.stringify(type)} from the client behind the login (08P01)`, async (t) => {
    t.equal(await outcomeOf(session().fromClient(message(type))), '08P01');
  });
}

t.test('passes a login on before that', async (t) => {
  const conversation = new Conversation({ judge, protector: new CipherProtector(cipher, false), refusedBy: 'refused' });
  for (const type of ['R', 'K', 'v']) t.same(await conversation.fromDatabase([message(type)]), [message(type).frame]);
  t.same(await conversation.fromClient(message('p')), message('p').frame);
});

t.test('refuses a request for COPY data that nobody has offered (08P01)', async (t) => {
  for (const sql of ['SELECT 1', 'COPY notes TO STDOUT', "COPY notes FROM '/a/file'"]) {
    const conversation = session();
    await conversation.fromClient(client.query(sql));
    t.equal(await outcomeOf(conversation.fromDatabase([database.copyIn])), '08P01', sql);
  }
  t.equal(await outcomeOf(session().fromDatabase([database.copyIn])), '08P01', 'nothing was asked');
});

t.test('passes a request for COPY data on to whoever offers it, in either protocol', async (t) => {
  const simple = session();
  await simple.fromClient(client.query(COPY));
  t.same(await simple.fromDatabase([database.copyIn]), [database.copyIn.frame]);
  const extended = session();
  for (const each of [client.parse('', COPY), client.bind('', []), client.execute(), client.sync]) {
    await extended.fromClient(each);
  }
  const answers = [database.parseComplete, database.bindComplete, database.copyIn];
  t.same(
    await extended.fromDatabase(answers),
    answers.map(({ frame }) => frame),
  );
});

t.test('refuses statements, values and all else that is asked where the message is too long (54000)', async (t) => {
  for (const type of ['Q', 'P', 'B', 'D', 'E', 'C', 'F']) {
    const conversation = session();
    const sent = await conversation.fromClient(tooLong(type));
    t.match(sent.toString('latin1'), /'acra refused'/, 'it fails in the database too');
    const [answer] = await conversation.fromDatabase([database.error('42601', 'syntax error')]);
    t.match(
      errorFields((answer ?? Buffer.alloc(0)).subarray(5)),
      { C: '54000', M: /20000000 bytes is too long/ },
      type,
    );
  }
});

t.test('ends a COPY whose data is too long, so that no part of it is left out unnoticed', async (t) => {
  const conversation = session();
  await conversation.fromClient(client.query(COPY));
  await conversation.fromDatabase([database.copyIn]);
  const sent = await conversation.fromClient(tooLong('d'));
  t.match(sent.toString('latin1'), /^f[\s\S]{4}a message of 20000000 bytes is too long\0$/);
});

t.test('refuses what never is so long (08P01)', async (t) => {
  for (const type of ['S', 'X', 'H', 'c', 'f']) {
    t.equal(await outcomeOf(session().fromClient(tooLong(type))), '08P01', type);
  }
});
