/** Which statements are counted, with which verdict, and which phase their time is in. */
import t from 'tap';
import { type StatementObserver, UNOBSERVED, type Work } from '../../../acra/conversation/statement-watch.ts';
import { converse } from '../../emulator/acra-server/support/converse.ts';
import { client, database } from '../../emulator/acra-server/support/frames.ts';
import { conversationRig, UNREADABLE } from './support/conversation-rig.ts';

const newConversation = await conversationRig(t, 'engine');
const INSERT = `INSERT INTO person (id, secret) VALUES (1, 'x'); DELETE FROM other`;
const SELECT = 'SELECT secret FROM person';
const bytea = database.rowDescription([['secret', 17]]);
const trapError = database.error('42601', 'syntax error');

/** A clock of whole steps: each phase of each message has its own. */
function watched(steps: { readonly engineMs?: number } = {}) {
  const seen: Work[] = [];
  let nowMs = 0;
  const observer: StatementObserver = {
    ...UNOBSERVED,
    nowMs: () => nowMs,
    finished: (work) => seen.push({ ...work, spent: { ...work.spent } }),
  };
  const pass = (ms: number) => {
    nowMs += ms;
  };
  const protector = {
    literal: async () => {
      pass(steps.engineMs ?? 0);
      return Buffer.from('sealed');
    },
    rows: async (frames: readonly Buffer[]) => {
      pass(steps.engineMs ?? 0);
      return frames;
    },
  };
  return { seen, observer, pass, conversation: newConversation(protector, { observer }) };
}

const told = (seen: readonly Work[]) => seen.map(({ kinds, verdict, refusal }) => [kinds.join(' '), verdict, refusal]);

t.test('counts a simple query once, with the kinds of all its statements', async (t) => {
  const { seen, conversation } = watched();
  const answers = [database.complete('INSERT 0 1'), database.complete('DELETE 0'), database.ready()];
  await converse(conversation, [client.query(INSERT)], answers);
  await converse(conversation, [client.query('BEGIN')], [database.complete('BEGIN'), database.ready('T')]);
  await converse(
    conversation,
    [client.query('CREATE VIEW v AS SELECT 1')],
    [database.error('42501', 'no'), database.ready()],
  );
  t.same(told(seen), [
    ['insert delete', 'protected', undefined],
    ['other', 'untouched', undefined],
    ['definition', 'untouched', undefined],
  ]);
});

t.test('counts each execution of a prepared statement, and a portal that is read in parts once', async (t) => {
  const { seen, conversation } = watched();
  const { bindComplete, parseComplete } = database;
  await converse(
    conversation,
    [
      client.parse('s', SELECT),
      client.bind('s', []),
      client.execute(),
      client.bind('s', []),
      client.execute(),
      client.sync,
    ],
    [
      parseComplete,
      bindComplete,
      database.complete('SELECT 0'),
      bindComplete,
      database.complete('SELECT 0'),
      database.ready(),
    ],
  );
  t.same(told(seen), [
    ['select', 'protected', undefined],
    ['select', 'protected', undefined],
  ]);
  const suspended = { type: 's', frame: Buffer.from('s\0\0\0\x04', 'latin1'), body: Buffer.alloc(0) };
  await converse(
    conversation,
    [client.bind('s', []), client.execute(), client.execute(), client.sync],
    [bindComplete, suspended, database.complete('SELECT 1'), database.ready()],
  );
  t.same(told(seen).slice(2), [
    ['select', 'protected', undefined],
    ['', 'protected', undefined],
  ]);
});

t.test('counts what is refused, by its kind, also where only Bind or the rows are', async (t) => {
  const { seen, conversation } = watched();
  const order = 'SELECT id FROM person ORDER BY secret';
  await converse(conversation, [client.query(order)], [trapError, database.ready()]);
  await converse(conversation, [client.parse('', order), client.sync], [trapError, database.ready()]);
  await converse(conversation, [client.query('SELEC 1')], [trapError, database.ready()]);
  t.same(told(seen), [
    ['select', 'refused', 'order'],
    ['select', 'refused', 'order'],
    ['other', 'refused', 'syntax'],
  ]);
  const observed: Work[] = [];
  const observer = { ...UNOBSERVED, finished: (work: Work) => observed.push({ ...work }) };
  const answers = [bytea, database.row(['x']), database.complete('SELECT 1'), database.ready()];
  await converse(newConversation(UNREADABLE, { observer }), [client.query(SELECT)], answers);
  t.same(told(observed), [['select', 'refused', 'unreadable']]);
});

t.test('counts nothing of what the database passes over behind an error', async (t) => {
  const { seen, conversation } = watched();
  await converse(
    conversation,
    [client.parse('', 'SELECT missing'), client.bind('', []), client.execute(), client.sync],
    [database.error('42703', 'no'), database.ready()],
  );
  t.same(told(seen), []);
});

t.test('tells the time of the engine from the wait for the database, in a pipeline too', async (t) => {
  const { seen, conversation, pass } = watched({ engineMs: 5 });
  for (const sql of [INSERT, SELECT]) await conversation.fromClient(client.query(sql));
  pass(10);
  await conversation.fromDatabase([database.complete('INSERT 0 1'), database.complete('DELETE 0'), database.ready()]);
  pass(100);
  await conversation.fromDatabase([bytea, database.row(['x']), database.row(['y'])]);
  await conversation.fromDatabase([database.complete('SELECT 2'), database.ready()]);
  t.same(
    seen.map(({ spent }) => spent),
    [
      { judge: 0, engine: 5, database: 10 },
      { judge: 0, engine: 5, database: 100 },
    ],
  );
});

t.test('keeps no more than the beginning of a long text, and none of its copy', async (t) => {
  const { seen, conversation } = watched();
  await converse(
    conversation,
    [client.query(`SELECT 1 -- ${'x'.repeat(10_000)}`)],
    [database.complete('S'), database.ready()],
  );
  t.equal(seen[0]?.sql.length, 2_048);
});
