/** What is read while the lot before it is still with the protector: no more than one lot, in order, and nothing behind a refusal. */
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import type { AnswerSink } from '../../../acra/conversation/row-answers.ts';
import { Refusal } from '../../../acra/statements/refusal.ts';
import { encodeMessage } from '../../../postgres/messages.ts';
import { converse } from '../../emulator/acra-server/support/converse.ts';
import { client, database, type Frame } from '../../emulator/acra-server/support/frames.ts';
import { conversationRig, shown } from './support/conversation-rig.ts';

const newConversation = await conversationRig(t, 'engine');
const data = (text: string): Frame => {
  const frame = encodeMessage('d', Buffer.from(text));
  return { type: 'd', frame, body: frame.subarray(5) };
};
const done: Frame = { type: 'c', frame: encodeMessage('c'), body: Buffer.alloc(0) };
const INTO = client.query('COPY person FROM STDIN');
const BATCH = 512;
const rows = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) => `${from + at}\tvalue ${from + at}\tn\n`).join('');
const numbersIn = (bytes: Buffer) =>
  [...bytes.toString('latin1').matchAll(/(?:^|\n|.)(\d+)\t\\\\x/g)].map(([, number]) => Number(number));

/** A protector whose answers wait until they are let go, by the order of the questions. */
function gated() {
  const waiting: { readonly text: string; readonly go: () => void }[] = [];
  const parameter = async (_use: unknown, value: Buffer | null) => {
    await new Promise<void>((go) => waiting.push({ text: String(value), go }));
    if (value?.includes('bad')) throw new Refusal('value-invalid', 'the value for column "secret" is no str');
    return value && Buffer.concat([Buffer.from('sealed '), value]);
  };
  return { waiting, parameter, letGo: (count: number) => waiting.splice(0, count).map(({ go }) => go()) };
}

async function copyInto() {
  const { waiting, parameter, letGo } = gated();
  const conversation = newConversation({ parameter });
  await conversation.fromClient(INTO);
  const written: Buffer[] = [];
  let isTaken = false;
  const push = (message: Frame) => {
    isTaken = false;
    const pushed = conversation.fromClient(message, async (part) => void written.push(part));
    void pushed.finally(() => {
      isTaken = true;
    });
    return pushed;
  };
  return { waiting, letGo, written, push, isTaken: () => isTaken, conversation };
}

t.test(
  'reads rows that a client copies while those before them are being sealed, one lot ahead, in order',
  async (t) => {
    const { waiting, written, push, isTaken } = await copyInto();
    await push(data(rows(0, BATCH)));
    t.equal(waiting.length, BATCH, 'and more may come before they are sealed');
    const second = push(data(rows(BATCH, BATCH)));
    await turn();
    t.equal(waiting.length, 2 * BATCH);
    t.notOk(isTaken(), 'but no third lot before the first is sealed');
    const [first, ...others] = [waiting.splice(0, BATCH), ...waiting.splice(0)];
    for (const { go } of others.flat()) go();
    await turn();
    t.equal(written.length, 0, 'nothing overtakes it');
    for (const { go } of first ?? []) go();
    await second;
    const end = push(done);
    await turn();
    const last = await end;
    t.same(
      numbersIn(Buffer.concat(written)),
      Array.from({ length: 2 * BATCH }, (_, at) => at),
    );
    t.equal(last.toString('latin1', 0, 1), 'c');
  },
);

t.test('tells of the first value that is refused, and sends none of the rows behind it', async (t) => {
  for (const behind of [rows(BATCH, BATCH), 'one cell only\n']) {
    const { letGo, written, push, waiting } = await copyInto();
    await push(data(`${rows(0, BATCH - 1)}511\tbad\tn\n`));
    const second = push(data(behind));
    await turn();
    letGo(waiting.length);
    t.match((await second).toString('latin1'), /^f[\s\S]{4}the value for column "secret" is no str\0$/);
    t.equal(Buffer.concat(written).length, 0);
    t.equal((await push(data(rows(2 * BATCH, 1)))).length, 0);
  }
});

t.test('sends what was whole before data that are none', async (t) => {
  const { letGo, written, push, waiting } = await copyInto();
  await push(data(rows(0, BATCH)));
  const second = push(data('one cell only\n'));
  await turn();
  letGo(waiting.length);
  t.match((await second).toString('latin1'), /^f[\s\S]{4}missing data for column/);
  t.equal(numbersIn(Buffer.concat(written)).length, BATCH);
});

t.test('leaves nothing behind where the database or the client gives up', async (t) => {
  for (const end of ['database', 'client', 'session'] as const) {
    const { letGo, written, push, waiting, conversation } = await copyInto();
    await push(data(rows(0, BATCH)));
    if (end === 'database') await conversation.fromDatabase([database.error('57P03', 'going away'), database.ready()]);
    if (end === 'client') await push({ type: 'f', frame: encodeMessage('f'), body: Buffer.from('why\0') });
    if (end === 'session') conversation.close();
    letGo(waiting.length);
    await turn();
    await push(data(rows(BATCH, BATCH)));
    t.equal(Buffer.concat(written).length, 0, end);
    t.equal(waiting.length, 0, end);
  }
});

const SELECT = client.query('SELECT secret FROM person');
const described = database.rowDescription([['secret', 17]]);

/** Rows whose reading ends when it is let go. */
async function reading(fails: (lot: number) => boolean = () => false) {
  const lots: (() => void)[] = [];
  const conversation = newConversation({
    rows: async (frames) => {
      const lot = lots.length;
      await new Promise<void>((go) => lots.push(go));
      if (fails(lot)) throw new Refusal('unreadable', 'encoding error in column "secret"');
      return frames;
    },
  });
  await converse(conversation, [SELECT], [described]);
  const delivered: Buffer[] = [];
  const failures: unknown[] = [];
  const sink: AnswerSink = {
    deliver: async (frames) => void delivered.push(...frames),
    failed: (error) => void failures.push(error),
  };
  return { conversation, lots, delivered, failures, sink };
}

t.test(
  'reads the next rows of the database while those before are being read, and delivers them in order',
  async (t) => {
    const { conversation, lots, delivered, sink } = await reading();
    await conversation.fromDatabase([database.row(['1'])], sink);
    const second = conversation.fromDatabase([database.row(['2'])], sink);
    await turn();
    t.equal(lots.length, 2, 'both are with the protector');
    lots[1]?.();
    await turn();
    t.equal(delivered.length, 0);
    lots[0]?.();
    await second;
    await turn();
    t.same(delivered, [database.row(['1']).frame, database.row(['2']).frame]);
    const third = conversation.fromDatabase(
      [database.row(['3']), database.complete('SELECT 3'), database.ready()],
      sink,
    );
    await turn();
    lots[2]?.();
    t.same(shown(await third), ['D', 'C', 'Z'], 'and the last with what is behind them, in one');
    t.equal(delivered.length, 2);
  },
);

t.test(
  'delivers nothing behind rows that could not be read, and what the database says when it is ready',
  async (t) => {
    const { conversation, lots, delivered, sink } = await reading((lot) => lot === 0);
    await conversation.fromDatabase([database.row(['1'])], sink);
    const second = conversation.fromDatabase([database.row(['2'])], sink);
    await turn();
    for (const go of lots) go();
    await second;
    const end = await conversation.fromDatabase([database.complete('SELECT 2'), database.ready()], sink);
    t.same(shown([...delivered, ...end]), ['E 42000', 'Z']);
  },
);

t.test('tells whoever holds the session of rows that failed, also when nothing follows', async (t) => {
  const { conversation, lots, failures, sink } = await reading();
  sink.deliver = () => Promise.reject(new Error('the client is gone'));
  await conversation.fromDatabase([database.row(['1'])], sink);
  lots[0]?.();
  await turn();
  t.match(failures, [{ message: 'the client is gone' }]);
  await t.rejects(conversation.answered(), { message: 'the client is gone' });
});

t.test('holds no second lot of many bytes', async (t) => {
  const { conversation, lots, sink } = await reading();
  let isTaken = false;
  const long = conversation.fromDatabase([database.row(['x'.repeat(600_000)])], sink).then(() => {
    isTaken = true;
  });
  await turn();
  t.notOk(isTaken);
  lots[0]?.();
  await long;
});
