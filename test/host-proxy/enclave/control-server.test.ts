import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { ControlServer } from '../../../host-proxy/enclave/control-server.ts';
import { EnclaveView } from '../../../host-proxy/enclave/view.ts';
import { LogSink } from '../../../host-proxy/logs/log-sink.ts';
import { LineBuffer } from '../../../system/lines/line-buffer.ts';
import { encodeFrame, FrameReader } from '../../../wire/control/frame.ts';
import type { EnclaveMessage, HostMessage } from '../../../wire/control/messages.ts';
import { parseHostMessage } from '../../../wire/control/messages.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { InterruptedFile } from '../../system/lines/interrupted-file.ts';

const HELLO: EnclaveMessage = { type: 'hello', protocol: 1, bootId: 'boot-1', release: '0', simulated: true };

async function surroundings(t: TapTest, file?: string) {
  const folder = temporaryFolder(t);
  const clock = new FakeClock(Date.UTC(2026, 5, 1));
  const logFile = file ?? join(folder, 'log');
  const recent = new LineBuffer({ maxLines: 100, maxBytes: 100_000 });
  const sink = new LogSink({ level: 'info', file: logFile, clock, recent });
  const view = new EnclaveView(clock, 20_000);
  const socketPath = join(folder, 'control.sock');
  const server = new ControlServer({ socketPath, maxFrameBytes: 10_000, view, sink });
  await server.start(new AbortController().signal);
  t.teardown(async () => {
    await server.stop();
    sink.close();
  });
  const text = () => readFileSync(logFile, 'utf8');
  const lines = () =>
    text()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { socketPath, server, view, text, lines, recent };
}

async function dial(path: string): Promise<Socket> {
  const socket = createConnection({ path });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function nextMessage(socket: Socket): Promise<HostMessage> {
  const frames = new FrameReader(1024);
  for (;;) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    for (const payload of frames.push(chunk)) return parseHostMessage(payload);
  }
}

const logs = (seq: number): EnclaveMessage => ({
  type: 'logs',
  dropped: 4,
  records: [
    {
      seq,
      timeMs: Date.UTC(2026, 0, 2),
      level: 'error',
      event: 'child.exited',
      fields: { time: 'forged', source: 'forged' },
    },
  ],
});

t.test('acknowledges records once they are written, with the enclave’s own time, level and fields', async (t) => {
  const { socketPath, view, lines } = await surroundings(t);
  const socket = await dial(socketPath);
  socket.write(encodeFrame(HELLO));
  socket.write(encodeFrame(logs(7)));
  t.same(await nextMessage(socket), { type: 'acknowledge', seq: 7 });
  const record = lines().find(({ source }) => source === 'enclave');
  t.match(record, {
    time: '2026-01-02T00:00:00.000Z',
    level: 'error',
    event: 'child.exited',
    bootId: 'boot-1',
    seq: 7,
  });
  t.same(record?.['fields'], { time: 'forged', source: 'forged' }, 'fields cannot stand in for ours');
  t.same(view.logs, { received: 1, dropped: 4 });
  socket.destroy();
});

const STATUS: EnclaveMessage = {
  type: 'status',
  status: { state: 'serving', phase: 'serve', detail: null, errorCode: null, sinceMs: 1 },
};

t.test('acknowledges no record that no disk would take, until it is written', async (t) => {
  const file = new InterruptedFile(t);
  const { socketPath, recent } = await surroundings(t, file.path);
  file.interrupt();
  const socket = await dial(socketPath);
  socket.write(encodeFrame(HELLO));
  socket.write(encodeFrame(logs(7)));
  socket.write(encodeFrame(STATUS));
  t.same(await nextMessage(socket), { type: 'heard' }, 'the record is not acknowledged');
  t.equal(recent.tail(100).filter((line) => line.includes('child.exited')).length, 1, 'but can be asked for');
  file.resume();
  socket.write(encodeFrame(STATUS));
  t.same(await nextMessage(socket), { type: 'acknowledge', seq: 7 });
  t.equal(file.taken().split('child.exited').length, 2, 'it is written once');
  t.equal(recent.tail(100).filter((line) => line.includes('child.exited')).length, 1);
  socket.destroy();
});

t.test('takes no more records before those that no disk would take, except over a new connection', async (t) => {
  const file = new InterruptedFile(t);
  const { socketPath } = await surroundings(t, file.path);
  file.interrupt();
  const socket = await dial(socketPath);
  const closed = once(socket, 'close');
  socket.resume();
  socket.write(encodeFrame(logs(7)));
  socket.write(encodeFrame(logs(8)));
  await closed;
  file.resume();
  const again = await dial(socketPath);
  again.write(encodeFrame(logs(7)));
  t.same(await nextMessage(again), { type: 'acknowledge', seq: 7 });
  again.destroy();
});

t.test('forgets what an earlier boot said', async (t) => {
  const { socketPath, view } = await surroundings(t);
  const socket = await dial(socketPath);
  socket.write(encodeFrame(HELLO));
  socket.write(encodeFrame(STATUS));
  socket.write(encodeFrame(logs(1)));
  await nextMessage(socket);
  t.equal(view.status?.state, 'serving');
  socket.write(encodeFrame({ ...HELLO, bootId: 'boot-2' } as EnclaveMessage));
  socket.write(encodeFrame(logs(1)));
  await nextMessage(socket);
  t.equal(view.status, undefined);
  socket.destroy();
});

t.test('lets the newest connection win', async (t) => {
  const { socketPath, view } = await surroundings(t);
  const old = await dial(socketPath);
  const closed = once(old, 'close');
  const fresh = await dial(socketPath);
  await closed;
  fresh.write(encodeFrame(logs(1)));
  await nextMessage(fresh);
  t.ok(view.connected);
  fresh.destroy();
});

for (const [what, bytes] of [
  ['a frame over the limit (WIRE_FRAME_TOO_LARGE)', Buffer.from([0x7f, 0xff, 0xff, 0xff])],
  ['what is no JSON (WIRE_MESSAGE_INVALID)', Buffer.from([0, 0, 0, 1, 0x7b])],
  [
    'an unknown message (WIRE_MESSAGE_INVALID)',
    Buffer.concat([Buffer.from([0, 0, 0, 14]), Buffer.from('{"type":"run"}')]),
  ],
] as const) {
  t.test(`rejects ${what} by ending the connection`, async (t) => {
    const { socketPath, lines } = await surroundings(t);
    const socket = await dial(socketPath);
    const closed = once(socket, 'close');
    socket.write(bytes);
    socket.resume();
    await closed;
    t.ok(lines().some(({ event }) => event === 'control.bad-message'));
  });
}

t.test(
  'writes nothing into the log that a terminal or a page of logs obeys, and loses nothing of a record',
  async (t) => {
    const { socketPath, lines, text } = await surroundings(t);
    const socket = await dial(socketPath);
    const fields = { text: 'a\u202eb\u009b31m\u2028c\u001b[2J\u200f', '\u202e': 1 };
    const record = { seq: 1, timeMs: 0, level: 'info', event: 'x\u202e', fields } as const;
    socket.write(encodeFrame({ type: 'logs', dropped: 0, records: [record] } satisfies EnclaveMessage));
    await nextMessage(socket);
    t.notMatch(text(), /[^\x20-\x7e\n]/);
    t.match(lines().at(-1), { event: record.event, fields });
    socket.destroy();
  },
);

t.test('asks the enclave to stop', async (t) => {
  const { socketPath, server } = await surroundings(t);
  t.equal(server.requestStop(), false, 'nobody is there');
  const socket = await dial(socketPath);
  socket.write(encodeFrame(logs(1)));
  await nextMessage(socket);
  t.equal(server.requestStop(), true);
  t.same(await nextMessage(socket), { type: 'stop' });
  socket.destroy();
});
