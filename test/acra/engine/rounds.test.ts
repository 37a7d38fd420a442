/** What goes to and fro in a made-up session, with a program in the place of acra-server that sends everything on as it comes. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { EngineConnection } from '../../../acra/engine/connection.ts';
import { EngineDatabase } from '../../../acra/engine/database.ts';
import type { Task } from '../../../acra/engine/task.ts';
import { type Message, MessageReader } from '../../../postgres/message-reader.ts';
import { encodeMessage } from '../../../postgres/messages.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { columnOf } from '../support/columns.ts';

const MAX_MESSAGE_BYTES = 100_000;
const patient = new AbortController().signal;
const of = columnOf({ table: 'v' });
const cell = Buffer.from('a cell');
const REVEAL: readonly Task[] = [{ kind: 'reveal', of, cells: [cell] }];
const STORE: readonly Task[] = [{ kind: 'store', of, value: Buffer.from('a value') }];

/** All that went one way, since it was taken last. */
class Recorder {
  readonly #reader: MessageReader;
  #types = '';

  constructor(isStartup: boolean) {
    this.#reader = new MessageReader({ isStartup, maxBytes: MAX_MESSAGE_BYTES });
  }

  push(chunk: Buffer): void {
    for (const { type } of this.#reader.push(chunk) as Iterable<Message>) this.#types += type;
  }

  take(): string {
    const types = this.#types;
    this.#types = '';
    return types;
  }
}

async function session(t: Test) {
  const database = new EngineDatabase(seededRandom('rounds'));
  const end = await database.start(0);
  const [asked, answered] = [new Recorder(true), new Recorder(false)];
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(end.port, end.host);
    sockets.push(near, far);
    for (const socket of sockets) socket.setNoDelay().on('error', () => undefined);
    near.on('data', (chunk: Buffer) => {
      asked.push(chunk);
      far.write(chunk);
    });
    far.on('data', (chunk: Buffer) => {
      answered.push(chunk);
      near.write(chunk);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const acra = { kind: 'tcp', host: '127.0.0.1', port } as const;
  const connection = await EngineConnection.open(acra, database, MAX_MESSAGE_BYTES, patient);
  t.teardown(() => {
    connection.close();
    for (const socket of sockets) socket.destroy();
    database.stop();
    server.close();
  });
  asked.take();
  answered.take();
  return { connection, asked, answered, sockets };
}

t.test('asks about what is known by one message, and has one answer for it', async (t) => {
  const { connection, asked, answered } = await session(t);
  const round = async (tasks: readonly Task[]) => {
    const answers = await connection.run(tasks);
    return { answers, asked: asked.take(), answered: answered.take() };
  };
  const revealed = [{ kind: 'values', values: [cell] }];
  t.match(await round(REVEAL), { answers: revealed, asked: 'PBES', answered: '12DCZ' });
  t.match(await round(REVEAL), { answers: revealed, asked: 'E', answered: 'DC' });
  t.match(await round(STORE), { asked: 'PBS', answered: '12Z' });
  t.match(await round(STORE), { asked: 'B', answered: '2' });
  t.match(await round(REVEAL), { answers: revealed, asked: 'E', answered: 'DC' }, 'its portal is still there');
});

const UNASKED: readonly (readonly [what: string, end: 'near' | 'far', frame: Buffer])[] = [
  ['sends an answer', 'near', encodeMessage('C', Buffer.from('SELECT 1\0'))],
  ['asks its database', 'far', encodeMessage('E', Buffer.alloc(5))],
];
for (const [what, end, frame] of UNASKED) {
  t.test(`ends the session of a program that ${what} when nothing was asked`, async (t) => {
    const { connection, sockets } = await session(t);
    await connection.run(REVEAL);
    const lost = once(connection.lost, 'abort');
    sockets[end === 'near' ? 0 : 1]?.write(frame);
    await lost;
    await t.rejects(connection.run(REVEAL), { code: 'ENGINE_LOST' });
  });
}
