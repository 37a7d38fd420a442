/** `guard.mode: report`: prepared statements and cursors that a text makes which passes as it was written. */
import t from 'tap';
import { type StatementVerdict, UNOBSERVED } from '../../../acra/conversation/statement-watch.ts';
import { converse } from '../../emulator/acra-server/support/converse.ts';
import { client, database, type Frame } from '../../emulator/acra-server/support/frames.ts';
import { conversationRig } from './support/conversation-rig.ts';

const newConversation = await conversationRig(t, 'engine');
const WOULD_BE_REFUSED = "SELECT secret FROM person WHERE secret LIKE 'x%'";
const INSERT = 'INSERT INTO person (secret) VALUES ($1)';
const bytea = database.rowDescription([['secret', 17]]);
const isSealed = Buffer.from('sealed x').toString('hex');

function reporting() {
  const reported: string[] = [];
  const counted: StatementVerdict[] = [];
  // The description that the rows have here contradicts whatever would have been protected.
  const protects: boolean[] = [];
  const rows = async (
    frames: readonly Buffer[],
    kindsOf: (count: number) => readonly { contradiction?: unknown }[],
  ) => {
    protects.push(kindsOf(1)[0]?.contradiction !== undefined);
    return frames;
  };
  const conversation = newConversation(
    { rows: rows as never },
    {
      isReporting: true,
      observer: {
        ...UNOBSERVED,
        wouldRefuse: ({ kind }) => reported.push(kind),
        finished: ({ verdict }) => counted.push(verdict),
      },
    },
  );
  const query = async (sql: string, answers: readonly Frame[]) =>
    (await converse(conversation, [client.query(sql)], [...answers, database.ready()])).toDatabase.join();
  return { conversation, query, reported, counted, protects };
}

const done = (...tags: readonly string[]) => tags.map((tag) => database.complete(tag));
const asWritten = (sql: string) => client.query(sql).frame.toString();

t.test('passes EXECUTE of a statement that such a text prepared, and tells it', async (t) => {
  const { query, reported, counted } = reporting();
  await query(`PREPARE a AS ${INSERT}; ${WOULD_BE_REFUSED}`, done('PREPARE', 'SELECT 0'));
  t.equal(await query("EXECUTE a('x')", done('INSERT 0 1')), asWritten("EXECUTE a('x')"));
  t.same(reported, ['not-searchable', 'prepared-name']);
  t.same(counted, ['reported', 'reported']);
});

t.test('no longer takes a name for what it meant before such a text', async (t) => {
  for (const again of [`PREPARE a AS ${INSERT}`, 'PREPARE a AS SELECT $1']) {
    for (const before of [`PREPARE a AS ${INSERT}`, 'PREPARE a AS SELECT $1']) {
      const { query, reported } = reporting();
      await query(before, done('PREPARE'));
      await query(`DEALLOCATE a; ${again}; ${WOULD_BE_REFUSED}`, done('DEALLOCATE', 'PREPARE', 'SELECT 0'));
      t.equal(await query("EXECUTE a('x')", done('INSERT 0 1')), asWritten("EXECUTE a('x')"), `${before}; ${again}`);
      t.same(reported, ['not-searchable', 'prepared-name']);
    }
  }
});

t.test('forgets names that such a text takes away', async (t) => {
  for (const end of ['DEALLOCATE a', 'DEALLOCATE ALL', 'DISCARD ALL']) {
    const { query, reported } = reporting();
    await query(`PREPARE a AS ${INSERT}`, done('PREPARE'));
    await query(`${end}; ${WOULD_BE_REFUSED}`, done('DEALLOCATE', 'SELECT 0'));
    t.equal(await query("EXECUTE a('x')", [database.error('26000', 'no such')]), asWritten("EXECUTE a('x')"), end);
    t.same(reported, ['not-searchable', 'prepared-name'], end);
  }
});

t.test('follows names as ever once the database has refused what such a text does with them', async (t) => {
  const { query, reported } = reporting();
  await query(`PREPARE a AS ${INSERT}`, done('PREPARE'));
  await query(`DEALLOCATE a; PREPARE b AS SELECT $1; ${WOULD_BE_REFUSED}`, [database.error('22012', 'division')]);
  t.match(await query("EXECUTE a('x')", done('INSERT 0 1')), isSealed);
  await query(`DEALLOCATE a; ${WOULD_BE_REFUSED}`, done('DEALLOCATE', 'SELECT 0'));
  await query(`PREPARE a AS ${INSERT}`, done('PREPARE'));
  t.match(await query("EXECUTE a('x')", done('INSERT 0 1')), isSealed, 'prepared anew');
  t.same(reported, ['not-searchable', 'not-searchable']);
});

t.test('follows the names of a text that passes because of a name', async (t) => {
  const { query, reported } = reporting();
  await query(`PREPARE b AS ${INSERT}`, done('PREPARE'));
  await query(`PREPARE a AS ${INSERT}; ${WOULD_BE_REFUSED}`, done('PREPARE', 'SELECT 0'));
  await query("EXECUTE a('x'); DEALLOCATE b", done('INSERT 0 1', 'DEALLOCATE'));
  t.equal(await query("EXECUTE b('x')", [database.error('26000', 'no such')]), asWritten("EXECUTE b('x')"));
  t.same(reported, ['not-searchable', 'prepared-name', 'prepared-name']);
});

t.test('follows names that the extended protocol makes so', async (t) => {
  const { conversation, query, reported } = reporting();
  await query(`PREPARE a AS ${INSERT}`, done('PREPARE'));
  await query('DEALLOCATE a', done('DEALLOCATE'));
  const requests = [
    client.parse('', `PREPARE a AS ${WOULD_BE_REFUSED}`),
    client.bind('', []),
    client.execute(),
    client.sync,
  ];
  const answers = [database.parseComplete, database.bindComplete, database.complete('PREPARE'), database.ready()];
  await converse(conversation, requests, answers);
  t.equal(await query("EXECUTE a('x')", done('SELECT 0')), asWritten("EXECUTE a('x')"));
  t.same(reported, ['not-searchable', 'prepared-name']);
});

t.test('reads from a cursor that such a text declared as it is stored', async (t) => {
  const { query, protects } = reporting();
  const row = database.row(['stored']);
  await query('DECLARE c CURSOR WITH HOLD FOR SELECT secret FROM person', done('DECLARE CURSOR'));
  await query('FETCH c', [bytea, row, database.complete('FETCH 1')]);
  const text = `CLOSE c; DECLARE c CURSOR WITH HOLD FOR SELECT note FROM person; ${WOULD_BE_REFUSED}`;
  await query(text, done('CLOSE', 'DECLARE CURSOR', 'SELECT 0'));
  await query('FETCH c', [bytea, row, database.complete('FETCH 1')]);
  t.same(protects, [true, false]);
});
