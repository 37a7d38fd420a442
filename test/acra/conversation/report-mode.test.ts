/** `guard.mode: report`: what the judge would refuse passes as it was written and is told; everything else stays as it is. */
import t from 'tap';
import { type StatementVerdict, UNOBSERVED } from '../../../acra/conversation/statement-watch.ts';
import { Refusal } from '../../../acra/statements/refusal.ts';
import { converse } from '../../emulator/acra-server/support/converse.ts';
import { client, database } from '../../emulator/acra-server/support/frames.ts';
import { conversationRig, shown } from './support/conversation-rig.ts';

const newConversation = await conversationRig(t, 'engine');
const ORDER = "SELECT secret FROM person WHERE secret LIKE 'x%'";
const bytea = database.rowDescription([['secret', 17]]);
const trapError = database.error('42601', 'syntax error');

function reporting() {
  const reported: string[] = [];
  const counted: [StatementVerdict, string | undefined][] = [];
  const conversation = newConversation(
    { rows: async (frames, kindsOf) => (kindsOf(1)[0]?.column ? [] : frames) },
    {
      isReporting: true,
      observer: {
        ...UNOBSERVED,
        wouldRefuse: ({ kind }, sql) => reported.push(`${kind}: ${sql}`),
        finished: ({ verdict, refusal }) => counted.push([verdict, refusal]),
      },
    },
  );
  return { conversation, reported, counted };
}

t.test('passes a simple query as it is, and its rows as they are stored', async (t) => {
  const { conversation, reported, counted } = reporting();
  const answers = [bytea, database.row(['stored']), database.complete('SELECT 1'), database.ready()];
  const { toDatabase, toClient } = await converse(conversation, [client.query(ORDER)], answers);
  t.same(toDatabase, [client.query(ORDER).frame]);
  t.same(
    toClient,
    answers.map(({ frame }) => frame),
    'the type is the one that is stored, too',
  );
  t.same(reported, [`not-searchable: ${ORDER}`]);
  t.same(counted, [['reported', 'not-searchable']]);
});

t.test('passes a prepared statement with its parameters, and counts each execution', async (t) => {
  const { conversation, reported, counted } = reporting();
  const sql = 'INSERT INTO person (secret) VALUES (lower($1))';
  const requests = [client.parse('s', sql), client.bind('s', ['Plain']), client.execute(), client.sync];
  const answers = [database.parseComplete, database.bindComplete, database.complete('INSERT 0 1'), database.ready()];
  const { toDatabase } = await converse(conversation, requests, answers);
  t.same(
    toDatabase,
    requests.map(({ frame }) => frame),
  );
  await converse(conversation, requests.slice(1), answers.slice(1));
  t.same(reported, [`value-hidden: ${sql}`]);
  t.same(counted, [
    ['reported', 'value-hidden'],
    ['reported', 'value-hidden'],
  ]);
});

t.test('protects what it can protect, as ever', async (t) => {
  const { conversation, reported, counted } = reporting();
  const sql = `INSERT INTO person (secret) VALUES ('x')`;
  const answers = [database.complete('INSERT 0 1'), database.ready()];
  const { toDatabase } = await converse(conversation, [client.query(sql)], answers);
  t.match(toDatabase.join(), Buffer.from('sealed x').toString('hex'));
  t.same(reported, []);
  t.same(counted, [['protected', undefined]]);
});

t.test('refuses what PostgreSQL would refuse, and what is no statement', async (t) => {
  const { conversation, reported } = reporting();
  const call = { type: 'F', frame: Buffer.from('F\0\0\0\x0e\0\0\0\x01\0\0\0\0\0\0', 'latin1'), body: Buffer.alloc(10) };
  const tooLong = { ...client.query(''), skippedBytes: 1_000_000 };
  for (const [request, state] of [
    [client.query('SELEC 1'), '42601'],
    [call, '0A000'],
    [tooLong, '54000'],
  ] as const) {
    const { toDatabase, toClient } = await converse(conversation, [request], [trapError, database.ready()]);
    t.match(toDatabase.join(), 'acra refused');
    t.same(shown(toClient), [`E ${state}`, 'Z']);
  }
  t.same(reported, []);
});

t.test('refuses a value that cannot be protected: that is no judgement of the statement', async (t) => {
  const refusing = newConversation(
    {
      literal: async () => {
        throw new Refusal('engine', 'acra-server was lost');
      },
    },
    { isReporting: true },
  );
  const insert = client.query(`INSERT INTO person (secret) VALUES ('x')`);
  const { toDatabase, toClient } = await converse(refusing, [insert], [trapError, database.ready()]);
  t.match(toDatabase.join(), 'acra refused');
  t.same(shown(toClient), ['E 58000', 'Z']);
});
