import t from 'tap';
import { Conversation } from '../../../acra/conversation/conversation.ts';
import { StatementJudge } from '../../../acra/statements/statement-judge.ts';
import { CipherProtector } from '../../../emulator/acra-server/protector.ts';
import { encodeBytea } from '../../../postgres/bytea.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { converse } from './support/converse.ts';
import { client, database, errorFields, type Frame, rowTypes, rowValues } from './support/frames.ts';
import { column, tables, vectorCipher } from './support/vector-cipher.ts';

const judge = await StatementJudge.start(tables, systemClock);
t.teardown(() => judge.stop());
const cipher = await vectorCipher(t);
const newConversation = () =>
  new Conversation({ judge, protector: new CipherProtector(cipher, true), refusedBy: 'refused' });
const stored = (text: string) => encodeBytea(cipher.encrypt(column('secret'), Buffer.from(text)));
const body = (answer: Buffer) => answer.subarray(5);

const INSERT = 'INSERT INTO v (id, secret) VALUES ($1, $2)';
const SELECT = 'SELECT id, secret FROM v';
const FIELDS = [
  ['id', 23],
  ['secret', 17],
] as const;

t.test('encrypts bound values, whatever their format, and leaves the others', async (t) => {
  const conversation = newConversation();
  const requests = [
    client.parse('s', INSERT, [23, 25]),
    client.bind('s', ['1', 'text']),
    client.bind('s', [Buffer.from([0, 0, 0, 2]), 'mixed'], { formats: [1, 0] }),
    client.bind('s', [Buffer.from([0, 0, 0, 3]), null], { formats: [1] }),
  ];
  const { toDatabase } = await converse(conversation, requests, []);
  t.same(toDatabase[0], client.parse('s', INSERT, [23, 17]).frame, 'the parameter is declared as bytea');
  const bound = toDatabase.slice(1).map((frame) => {
    const formats = [...Array(frame.readUInt16BE(8))].map((_, index) => frame.readUInt16BE(10 + 2 * index));
    return { formats, values: rowValues(frame.subarray(10 + 2 * formats.length)) };
  });
  const plaintext = (value: string | null | undefined) =>
    cipher.reveal(Buffer.from(value ?? '', 'latin1')).bytes.toString();
  t.same(
    bound.map(({ formats }) => formats),
    [
      [0, 1],
      [1, 1],
      [1, 1],
    ],
  );
  t.same(
    bound.map(({ values }) => values[0]),
    ['1', '\0\0\0\x02', '\0\0\0\x03'],
  );
  t.same([plaintext(bound[0]?.values[1]), plaintext(bound[1]?.values[1])], ['text', 'mixed']);
  t.equal(bound[2]?.values[1], null);
});

t.test('keeps a Bind without protected parameters byte for byte', async (t) => {
  const bind = client.bind('s', ['1', null], { formats: [0, 1], resultFormats: [1], portal: 'p' });
  const { toDatabase } = await converse(newConversation(), [client.parse('s', 'SELECT $1, $2'), bind], []);
  t.same(toDatabase[1], bind.frame);
});

t.test('shows text where the configuration says str: parameters and results', async (t) => {
  const { toClient } = await converse(
    newConversation(),
    [
      client.parse('s', INSERT),
      client.describe('S', 's'),
      client.parse('r', SELECT),
      client.describe('S', 'r'),
      client.sync,
    ],
    [
      database.parseComplete,
      database.parameterDescription([23, 17]),
      database.noData,
      database.parseComplete,
      database.parameterDescription([]),
      database.rowDescription(FIELDS),
      database.ready(),
    ],
  );
  t.same(toClient[1], database.parameterDescription([23, 25]).frame);
  t.same(rowTypes(body(toClient[5]!)), ['id:23', 'secret:25']);
});

t.test('keeps the type of a column that is no bytea after all', async (t) => {
  const answers = [
    database.rowDescription([
      ['id', 23],
      ['secret', 1043],
    ]),
    database.row(['1', 'a\\b']),
  ];
  const { toClient } = await converse(newConversation(), [client.query(SELECT)], answers);
  t.same(rowTypes(body(toClient[0]!)), ['id:23', 'secret:1043']);
  t.same(rowValues(body(toClient[1]!)), ['1', 'a\\b']);
});

t.test('keeps pipelined statements apart', async (t) => {
  const { toClient } = await converse(
    newConversation(),
    [
      client.parse('', SELECT),
      client.bind('', [], { resultFormats: [1] }),
      client.execute(),
      client.parse('', 'SELECT secret, id FROM other'),
      client.describe('S', ''),
      client.bind('', []),
      client.execute(),
      client.sync,
      client.query('SELECT secret FROM v'),
    ],
    [
      database.parseComplete,
      database.bindComplete,
      database.row([Buffer.from([0, 0, 0, 1]), cipher.encrypt(column('secret'), Buffer.from('binary'))]),
      database.complete('SELECT 1'),
      database.parseComplete,
      database.parameterDescription([]),
      database.rowDescription([
        ['secret', 17],
        ['id', 23],
      ]),
      database.bindComplete,
      database.row([stored('not configured'), '1']),
      database.complete('SELECT 1'),
      database.ready(),
      database.rowDescription([['secret', 17]]),
      database.row([stored('text')]),
    ],
  );
  t.same(rowValues(body(toClient[2]!)), ['\0\0\0\x01', 'binary']);
  t.same(rowTypes(body(toClient[6]!)), ['secret:17', 'id:23']);
  t.same(rowValues(body(toClient[8]!)), [encodeBytea(Buffer.from('not configured')), '1']);
  t.same(rowTypes(body(toClient[11]!)), ['secret:25']);
  t.same(rowValues(body(toClient[12]!)), ['text']);
});

t.test('gives a refused statement to nobody, and its reason to the client in its turn', async (t) => {
  const conversation = newConversation();
  const sql = `INSERT INTO v (secret) SELECT 'plaintext'`;
  for (const request of [client.query(sql), client.parse('s', sql)]) {
    const sent = (await conversation.fromClient(request)).toString();
    t.notMatch(sent, 'plaintext');
    const [answer] = await conversation.fromDatabase([
      database.error('42601', `syntax error at or near "'acra refused'"`),
    ]);
    t.match(errorFields(body(answer!)), {
      S: 'ERROR',
      C: '42000',
      M: /INSERT takes its rows from elsewhere than VALUES/,
      H: /^Write a single plain INSERT.* See docs\/refusals\.md#acra-server$/,
    });
    if (request.type === 'P') await conversation.fromClient(client.sync);
    await conversation.fromDatabase([database.ready()]);
  }
  const other = database.error('42P01', 'relation "x" does not exist');
  t.same(await conversation.fromDatabase([other]), [other.frame]);
});

t.test('refuses a value at Bind without giving it to the database', async (t) => {
  const conversation = newConversation();
  const {
    toDatabase: [, sent],
  } = await converse(
    conversation,
    [client.parse('s', 'INSERT INTO v (blob) VALUES ($1)'), client.bind('s', ['pl\\ain'])],
    [],
  );
  t.equal(sent?.toString('latin1', 0, 1), 'P');
  t.match(sent?.toString(), /^P....acra refused\0'acra refused'\0/s);
  t.notMatch(sent?.toString(), 'pl');
});

t.test('answers in order after COPY in the extended protocol, whose first Sync stays unanswered', async (t) => {
  const conversation = newConversation();
  const copy = [client.parse('', 'COPY other FROM STDIN'), client.bind('', []), client.execute(), client.sync];
  await converse(conversation, copy, [database.parseComplete, database.bindComplete, database.copyIn]);
  const { toClient } = await converse(
    conversation,
    [client.copyDone, client.sync, client.query('SELECT 1'), client.query(SELECT)],
    [
      database.complete('COPY 1'),
      database.ready(),
      database.rowDescription([['?column?', 23]]),
      database.complete('SELECT 1'),
      database.ready(),
      database.rowDescription(FIELDS),
      database.row(['1', stored('x')]),
    ],
  );
  t.same(rowTypes(body(toClient[5]!)), ['id:23', 'secret:25']);
  t.same(rowValues(body(toClient[6]!)), ['1', 'x']);
});

t.test('passes on all else byte for byte', async (t) => {
  const conversation = newConversation();
  const messages = [
    database.parameterStatus('client_encoding', 'UTF8'),
    database.error('57P01', 'bye'),
    database.noData,
  ];
  const frames = messages.map(({ frame }) => frame);
  t.same(await conversation.fromDatabase(messages), frames);
});

t.test('rejects settings under which the database would read another statement (22023)', async (t) => {
  const stateOf = (name: string, value: string) =>
    newConversation()
      .fromDatabase([database.parameterStatus(name, value)])
      .then(
        () => undefined,
        ({ sqlState }) => sqlState,
      );
  t.equal(await stateOf('client_encoding', 'SJIS'), '22023');
  t.equal(await stateOf('client_encoding', 'GBK'), '22023');
  t.equal(await stateOf('standard_conforming_strings', 'off'), '22023');
  t.equal(await stateOf('client_encoding', 'LATIN1'), undefined);
  t.equal(await stateOf('standard_conforming_strings', 'on'), undefined);
});

t.test('rejects malformed messages (08P01)', async (t) => {
  const stateOf = (message: Frame) =>
    newConversation()
      .fromClient(message)
      .then(
        () => undefined,
        ({ sqlState }) => sqlState,
      );
  const cut = ({ type, frame: whole, body: all }: Frame) => ({ type, frame: whole, body: all.subarray(0, -1) });
  for (const message of [
    client.query('SELECT 1'),
    client.parse('', SELECT, [1]),
    client.bind('', ['x']),
    client.describe('S', 'x'),
  ]) {
    t.equal(await stateOf(cut(message)), '08P01', message.type);
  }
});

t.test('gives an error that is not the trap as it is, whatever was refused', async (t) => {
  const conversation = newConversation();
  await conversation.fromClient(client.query(`INSERT INTO v (secret) SELECT 'plaintext'`));
  const fatal = database.error('57P01', 'terminating connection due to administrator command');
  t.same(await conversation.fromDatabase([fatal]), [fatal.frame]);
});
