/** COPY between a client and a database that need not be honest: what goes where, in which order, and after a refusal. */
import t from 'tap';
import { Conversation } from '../../../acra/conversation/conversation.ts';
import type { ValueProtector } from '../../../acra/conversation/value-protector.ts';
import { parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import { Refusal } from '../../../acra/statements/refusal.ts';
import { StatementJudge } from '../../../acra/statements/statement-judge.ts';
import { encodeBytea } from '../../../postgres/bytea.ts';
import { DATA_ROW, encodeMessage, HEADER_BYTES } from '../../../postgres/messages.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { converse } from '../../emulator/acra-server/support/converse.ts';
import { client, database, errorFields, type Frame } from '../../emulator/acra-server/support/frames.ts';
import { outcomeOf } from '../../sessions/support/outcome.ts';
import { ENCRYPTOR_CONFIG, shown } from './support/conversation-rig.ts';

const judge = await StatementJudge.start(parseEncryptorConfig(ENCRYPTOR_CONFIG, 'encryptor.yaml').tables, systemClock, {
  reader: 'engine',
});
t.teardown(() => judge.stop());

const SEAL = 'sealed ';
/** Seals, opens what is sealed, and refuses `bad`. */
const protector: ValueProtector = {
  literal: async ({ value }) => Buffer.from(SEAL + value),
  parameter: async (_use, value) => {
    if (value?.includes('bad')) throw new Refusal('value-invalid', 'the value for column "secret" is no str');
    return value && Buffer.concat([Buffer.from(SEAL), value]);
  },
  rows: async (frames) =>
    frames.map((frame) => {
      const [cells] = DATA_ROW.decode(frame.subarray(HEADER_BYTES));
      const opened = cells.map((cell) => {
        const bytes = cell?.toString('latin1').startsWith('\\x') ? Buffer.from(cell.toString().slice(2), 'hex') : cell;
        if (bytes?.includes('unreadable')) throw new Refusal('unreadable', 'encoding error in column "secret"');
        return bytes?.includes(SEAL) ? bytes.subarray(SEAL.length) : cell;
      });
      return DATA_ROW.encode(opened);
    }),
  copied: async () => undefined,
};
const sealed = (text: string) => encodeBytea(Buffer.from(SEAL + text));
const begin = (options: object = {}) => {
  const conversation = new Conversation({ judge, protector, refusedBy: 'refused', ...options });
  conversation.loggedIn();
  return conversation;
};
const message = (type: string, body: Buffer | string = ''): Frame => {
  const frame = encodeMessage(type, Buffer.from(body as string));
  return { type, frame, body: frame.subarray(5) };
};
const data = (text: Buffer | string) => message('d', text);
const [done, failed] = [message('c'), message('f', 'why\0')];
const copyIn = message('G', Buffer.from([0, 0, 0]));
const copyOut = message('H', Buffer.from([0, 0, 0]));
const INTO = client.query('COPY person FROM STDIN');
const OUT = client.query('COPY person TO STDOUT');
const canceled = database.error('57014', 'COPY from stdin failed: …');
const text = (frames: readonly Buffer[]) => Buffer.concat(frames.map((frame) => frame.subarray(5))).toString('latin1');

t.test('sends no part of a row before it is whole, and then with its value sealed', async (t) => {
  const conversation = begin();
  await conversation.fromClient(INTO);
  for (const byte of Buffer.from('1\tp\tn\n2\tq\tm')) {
    t.equal((await conversation.fromClient(data(Buffer.of(byte)))).length, 0);
  }
  const sent = await conversation.fromClient(done);
  t.same(sent, Buffer.concat([data(`1\t\\${sealed('p')}\tn\n2\t\\${sealed('q')}\tm`).frame, done.frame]));
});

t.test('asks for the values of many rows at once, and hands on what is done', async (t) => {
  let [asked, most] = [0, 0];
  const counting = {
    ...protector,
    parameter: async () => {
      asked += 1;
      most = Math.max(most, asked);
      await Promise.resolve();
      asked -= 1;
      return Buffer.from('s');
    },
  };
  const conversation = begin({ protector: counting });
  await conversation.fromClient(INTO);
  const written: Buffer[] = [];
  const write = async (part: Buffer) => void written.push(part);
  for (let row = 0; row < 2_000; row += 1) await conversation.fromClient(data(`${row}\tp\tn\n`), write);
  t.ok(written.length > 1 && written.length < 10, `${written.length} messages`);
  t.ok(most > 100, `${most} values at once`);
  await conversation.fromClient(done, write);
  t.equal(text(written).split('\n').length, 2_001);
});

for (const [protocol, requests, answers] of [
  ['simple', [INTO], [copyIn]],
  [
    'extended',
    [client.parse('', 'COPY person FROM STDIN'), client.bind('', []), client.execute(), client.sync],
    [database.parseComplete, database.bindComplete, copyIn],
  ],
] as const) {
  t.test(`fails the COPY in the database over a value that is refused, ${protocol}`, async (t) => {
    const conversation = begin();
    await converse(conversation, requests, answers);
    const rows = await converse(conversation, [data('1\tp\tn\n2\tbad\tn\n'), data('3\tq\tn\n'), done], []);
    t.same(shown(rows.toDatabase.filter(({ length }) => length > 0)), ['f'], 'and sends nothing behind that');
    t.notMatch(text(rows.toDatabase), /bad|p\t/);
    const sync = protocol === 'extended' ? [client.sync] : [];
    const { toClient } = await converse(
      conversation,
      [...sync, client.query('SELECT 1')],
      [canceled, database.ready('E'), database.complete('SELECT 1'), database.ready()],
    );
    t.same(shown(toClient), ['E 22P02', 'Z', 'C', 'Z']);
    t.match(errorFields(toClient[0]!.subarray(5)), { M: /^refused: the value for column "secret"/ });
    t.notOk(conversation.isBusy);
  });
}

t.test('tells of the error that the database had first', async (t) => {
  const conversation = begin();
  await converse(conversation, [INTO, data('1\tbad\tn\n')], [copyIn]);
  const { toClient } = await converse(conversation, [], [database.error('23505', 'duplicate'), database.ready()]);
  t.same(shown(toClient), ['E 23505', 'Z']);
});

t.test('leaves out what a client sends on behind an error of the database', async (t) => {
  const conversation = begin();
  await converse(conversation, [INTO, data('1\tp')], [copyIn, database.error('23505', 'duplicate')]);
  const { toDatabase } = await converse(conversation, [data('q\tn\n'), done], [database.ready()]);
  t.equal(Buffer.concat(toDatabase).length, 0);
  const later = await converse(conversation, [data('x'), done, failed, client.query('SELECT 1')], []);
  t.same(shown(later.toDatabase.filter(({ length }) => length > 0)), ['Q'], 'nor what nobody asked for');
});

t.test('tells the database nothing of why a client gives up, and the client all', async (t) => {
  const conversation = begin();
  const { toDatabase } = await converse(conversation, [INTO, data('1\tp\tn\n'), message('f', 'at "p"\0')], [copyIn]);
  t.equal(text(toDatabase.slice(1)), 'the client gave up\0');
  const { toClient } = await converse(conversation, [], [canceled, database.ready()]);
  t.match(errorFields(toClient[0]!.subarray(5)), { C: '57014', M: 'COPY from stdin failed: at "p"' });
});

t.test('seals by the statement under way where a text copies into several tables', async (t) => {
  const both = client.query('COPY other FROM STDIN; COPY person FROM STDIN');
  const conversation = begin();
  const { toDatabase } = await converse(conversation, [both, data('1\tp'), done, data('1\tp\tn\n'), done], []);
  t.match(text(toDatabase), `1\tp1\t\\${sealed('p')}\tn\n`);
  t.equal(
    await outcomeOf(conversation.fromDatabase([database.complete('COPY 1'), copyIn])),
    '08P01',
    'the first was not asked for',
  );
});

t.test('refuses COPY data that are offered without a COPY TO (08P01)', async (t) => {
  for (const sql of ['SELECT 1', 'COPY person FROM STDIN', "COPY other TO '/a/file'"]) {
    const conversation = begin();
    await conversation.fromClient(client.query(sql));
    t.equal(await outcomeOf(conversation.fromDatabase([copyOut])), '08P01', sql);
  }
});

t.test('holds rows to a limit, and long ones to the room that there is for all', async (t) => {
  const long = begin({ maxMessageBytes: 1_000 });
  await long.fromClient(INTO);
  const parts = Array.from({ length: 20 }, () => data('x'.repeat(100)));
  const { toDatabase } = await converse(long, parts, []);
  t.match(text(toDatabase), /^a row of COPY is longer than 1000 bytes\0$/);
  let heldBytes = 0;
  const room = {
    take: (bytes: number) => {
      if (heldBytes + bytes > 100_000) return false;
      heldBytes += bytes;
      return true;
    },
    give: (bytes: number) => {
      heldBytes -= bytes;
    },
  };
  const crowded = begin({ room });
  await converse(crowded, [INTO, data('x'.repeat(90_000))], []);
  t.equal(heldBytes, 90_000);
  const refusal = await converse(crowded, [data('x'.repeat(20_000))], [copyIn, canceled, database.ready()]);
  t.same(shown(refusal.toClient), ['G', 'E 53200', 'Z']);
  t.equal(heldBytes, 0);
  await converse(crowded, [INTO, data('x'.repeat(80_000))], []);
  crowded.close();
  t.equal(heldBytes, 0, 'and gives it back at the end of the session');
});

t.test('opens the cells that the statement calls protected, however the database cuts rows', async (t) => {
  const stored = Buffer.from(`1\t\\${sealed('p')}\t\\${sealed('q')}\n2\t\\N\tn\n`);
  for (const size of [1, 7, stored.length]) {
    const conversation = begin();
    await conversation.fromClient(OUT);
    const parts = Array.from({ length: Math.ceil(stored.length / size) }, (_, at) =>
      data(stored.subarray(at * size, (at + 1) * size)),
    );
    const answers = [copyOut, ...parts, done, database.complete('COPY 2'), database.ready()];
    const toClient = (await conversation.fromDatabase(answers)).filter(
      (frame) => frame.toString('latin1', 0, 1) === 'd',
    );
    t.equal(text(toClient), `1\tp\t\\${sealed('q')}\n2\t\\N\tn\n`, `${size} bytes each`);
  }
});

t.test('passes on as it is stored what it cannot read as the rows that were asked for', async (t) => {
  const cell = `\\${sealed('p')}`;
  const lies: Readonly<Record<string, readonly [string, string?]>> = {
    'fewer cells': [`1\t${cell}\n`],
    'more cells': [`1\t${cell}\t${cell}\t${cell}\n`],
    'an end within the data': [`1\tx\tn\n\\.\n1\t${cell}\tn\n`],
    'broken lines': [`1\t2\t3\r\n1\t${cell}\tn\n1\t${cell}\tn\r\n`],
    'a row without an end': [`1\t${cell}\tn`],
    'another column': [`${cell}\tx\tn\n`],
    'no ciphertext': ['1\tplain\\\\x\tn\n'],
  };
  for (const [name, [stored]] of Object.entries(lies)) {
    const conversation = begin();
    await conversation.fromClient(OUT);
    const frames = await conversation.fromDatabase([
      copyOut,
      data(stored),
      done,
      database.complete('COPY 1'),
      database.ready(),
    ]);
    t.equal(text(frames.filter((frame) => frame.toString('latin1', 0, 1) === 'd')), stored, name);
    t.same(shown(frames).at(-1), 'Z', name);
  }
  const binary = begin();
  await binary.fromClient(OUT);
  const answers = [message('H', Buffer.from([1, 0, 0])), data(`1\t${cell}\tn\n`)];
  t.match(text(await binary.fromDatabase(answers)), cell, 'another format than was asked for');
});

t.test('tells once of rows that cannot be read, then only that the database is ready', async (t) => {
  const conversation = begin();
  await conversation.fromClient(OUT);
  const row = data(`1\t\\${encodeBytea(Buffer.from('unreadable'))}\tn\n`);
  const answers = [copyOut, row, row, done, database.complete('COPY 2'), database.ready()];
  t.same(shown(await conversation.fromDatabase(answers)), ['H', 'E 42000', 'Z']);
});

t.test('refuses COPY of protected columns where the client has another encoding (0A000)', async (t) => {
  for (const [sql, state] of [
    ['COPY person FROM STDIN', '0A000'],
    ['COPY person TO STDOUT', '0A000'],
    ['COPY other TO STDOUT', undefined],
  ] as const) {
    const conversation = begin();
    await conversation.fromDatabase([database.parameterStatus('client_encoding', 'LATIN1')]);
    const { toClient } = await converse(conversation, [client.query(sql)], [database.error('42601', 'syntax error')]);
    t.same(shown(toClient), [`E ${state ?? '42601'}`], sql);
  }
});

t.test('sends nothing more where the database fails while values are being sealed', async (t) => {
  const gate = Promise.withResolvers<Buffer>();
  let heldBytes = 0;
  const room = {
    take: (bytes: number) => {
      heldBytes += bytes;
      return true;
    },
    give: (bytes: number) => {
      heldBytes -= bytes;
    },
  };
  const conversation = begin({ room, protector: { ...protector, parameter: () => gate.promise } });
  await conversation.fromClient(INTO);
  const rows = `${'1\tp\tn\n'.repeat(600)}2\t${'q'.repeat(100_000)}`;
  const sending = conversation.fromClient(data(rows));
  const toClient = await conversation.fromDatabase([copyIn, database.error('57P03', 'going away'), database.ready()]);
  t.same(shown(toClient), ['G', 'E 57P03', 'Z']);
  gate.resolve(Buffer.from('sealed'));
  t.notMatch((await sending).toString('latin1'), /p\t|q/);
  t.equal((await conversation.fromClient(done)).length, 0);
  t.equal(heldBytes, 0);
});
