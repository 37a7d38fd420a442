import { once } from 'node:events';
import { rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { ControlConnection } from '../../supervisor/control/connection.ts';
import { LogBuffer } from '../../supervisor/control/log-buffer.ts';
import { StatusBoard } from '../../supervisor/status.ts';
import { encodeFrame, MAX_ENCLAVE_FRAME_BYTES } from '../../wire/control/frame.ts';
import type { EnclaveMessage } from '../../wire/control/messages.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { Parent } from './support/parent.ts';

const logSeqs = (heard: readonly EnclaveMessage[]) =>
  heard.flatMap((message) => (message.type === 'logs' ? message.records.map(({ seq }) => seq) : []));

/** A wait before dialling is shorter than the one between two statuses. */
async function untilWaitingToDial(clock: FakeClock): Promise<void> {
  while (!clock.sleptMs.some((ms) => ms < 5_000)) await new Promise((resolve) => setImmediate(resolve));
}

function surroundings(t: TapTest) {
  const socketPath = join(temporaryFolder(t), 'control.sock');
  const clock = new FakeClock();
  const status = new StatusBoard(clock);
  let stopRequests = 0;
  const logs = new LogBuffer({ clock, maxRecords: 100, onRecord: () => control.pushLogs() });
  const control: ControlConnection = new ControlConnection({
    socketPath,
    hello: { type: 'hello', protocol: 1, bootId: 'boot', release: '0', simulated: true },
    logs,
    logger: logs,
    currentStatus: () => status.current,
    onFailure: (error) => t.fail(String(error)),
    onStopRequest: () => {
      stopRequests += 1;
    },
    clock,
    random: seededRandom('control'),
  });
  t.teardown(() => control.stop());
  return { socketPath, clock, logs, control, stops: () => stopRequests };
}

t.test('says hello, status and waiting records as soon as the parent listens', async (t) => {
  const { socketPath, control, logs } = surroundings(t);
  logs.log('info', 'test.before', {});
  const parent = new Parent();
  t.teardown(() => parent.close());
  await parent.listen(socketPath);
  await control.start(new AbortController().signal);
  await parent.until((heard) => (logSeqs(heard).length > 0 ? true : undefined));
  t.same(
    parent.heard.map(({ type }) => type),
    ['hello', 'status', 'logs'],
  );
});

t.test('sends the next batch only after the last was acknowledged', async (t) => {
  const { socketPath, control, logs } = surroundings(t);
  const parent = new Parent();
  t.teardown(() => parent.close());
  await parent.listen(socketPath);
  await control.start(new AbortController().signal);
  await parent.until((heard) => heard.find(({ type }) => type === 'status'));
  logs.log('info', 'test.one', {});
  logs.log('info', 'test.two', {});
  await parent.until((heard) => (logSeqs(heard).includes(1) ? true : undefined));
  t.same(logSeqs(parent.heard), [1]);
  parent.socket?.write(encodeFrame({ type: 'acknowledge', seq: 1 }));
  await parent.until((heard) => (logSeqs(heard).includes(2) ? true : undefined));
  t.same(logSeqs(parent.heard), [1, 2]);
});

t.test('comes back after the parent restarted, with every record that was not acknowledged', async (t) => {
  const { socketPath, control, logs, clock } = surroundings(t);
  const first = new Parent();
  await first.listen(socketPath);
  await control.start(new AbortController().signal);
  logs.log('info', 'test.lost', {});
  await first.until((heard) => (logSeqs(heard).includes(1) ? true : undefined));
  await first.close();
  rmSync(socketPath, { force: true });
  await untilWaitingToDial(clock);
  logs.log('info', 'test.meanwhile', {});
  const second = new Parent();
  t.teardown(() => second.close());
  await second.listen(socketPath);
  clock.advance(5000);
  await second.until((heard) => (logSeqs(heard).length === 2 ? true : undefined));
  t.same(logSeqs(second.heard), [1, 2]);
  t.equal(second.heard[0]?.type, 'hello');
});

t.test('passes on a request to stop', async (t) => {
  const { socketPath, control, stops, logs } = surroundings(t);
  const parent = new Parent();
  t.teardown(() => parent.close());
  await parent.listen(socketPath);
  await control.start(new AbortController().signal);
  await parent.until((heard) => heard[0]);
  parent.socket?.write(encodeFrame({ type: 'stop' }));
  logs.log('info', 'test.any', {});
  parent.socket?.write(encodeFrame({ type: 'acknowledge', seq: 1 }));
  await control.flush(AbortSignal.timeout(5000));
  t.equal(stops(), 1);
});

t.test('ends a connection on which the parent says anything else', async (t) => {
  const { socketPath, control } = surroundings(t);
  const parent = new Parent();
  t.teardown(() => parent.close());
  await parent.listen(socketPath);
  await control.start(new AbortController().signal);
  await parent.until((heard) => heard[0]);
  const closed = once(parent.socket as Socket, 'close');
  const payload = Buffer.from('{"type":"run","command":"id"}');
  const frame = Buffer.alloc(4 + payload.length);
  frame.writeUInt32BE(payload.length);
  payload.copy(frame, 4);
  parent.socket?.write(frame);
  await closed;
  t.pass('closed');
});

t.test('gives up flushing when nobody acknowledges', async (t) => {
  const { control, logs } = surroundings(t);
  logs.log('info', 'test.any', {});
  const gaveUp = new AbortController();
  const flushing = control.flush(gaveUp.signal);
  gaveUp.abort();
  await flushing;
  t.equal(logs.waiting, 1);
});

t.test('dials anew when a connection has led nowhere for 15 s, and loses no record', async (t) => {
  const { socketPath, control, logs, clock } = surroundings(t);
  const parent = new Parent();
  t.teardown(() => parent.close());
  await parent.listen(socketPath);
  await control.start(new AbortController().signal);
  logs.log('info', 'test.unanswered', {});
  await parent.until((heard) => (logSeqs(heard).includes(1) ? true : undefined));
  const hellos = () => parent.heard.filter(({ type }) => type === 'hello').length;
  while (hellos() < 2) {
    await clock.untilSleeping();
    clock.advance(5_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await parent.until((heard) => (logSeqs(heard).filter((seq) => seq === 1).length === 2 ? true : undefined));
  t.ok(clock.monotonicMs() >= 15_000);
});

t.test('keeps a connection on which every status is answered', async (t) => {
  const { socketPath, control, clock } = surroundings(t);
  const parent = new Parent();
  t.teardown(() => parent.close());
  await parent.listen(socketPath);
  await control.start(new AbortController().signal);
  const statuses = () => parent.heard.filter(({ type }) => type === 'status').length;
  for (let count = 1; count <= 8; count += 1) {
    await parent.until(() => (statuses() >= count ? true : undefined));
    parent.socket?.write(encodeFrame({ type: 'heard' }));
    await clock.untilSleeping();
    clock.advance(5_000);
  }
  t.equal(parent.heard.filter(({ type }) => type === 'hello').length, 1);
});

t.test('sends nothing that a host-proxy refuses, whatever 200 records hold', async (t) => {
  const { socketPath, control, logs } = surroundings(t);
  const parent = new Parent(true);
  t.teardown(() => parent.close());
  await parent.listen(socketPath);
  for (let count = 0; count < 100; count += 1) {
    logs.log('error', 'acra.log', {
      message: '\u0001'.repeat(3_000),
      error: '€'.repeat(3_000),
      reason: '"'.repeat(3_000),
    });
  }
  await control.start(new AbortController().signal);
  await parent.until((heard) => (logSeqs(heard).includes(100) ? true : undefined));
  t.same(
    logSeqs(parent.heard),
    Array.from({ length: 100 }, (_, index) => index + 1),
  );
  t.ok(parent.heard.every((message) => encodeFrame(message).length <= MAX_ENCLAVE_FRAME_BYTES));
});
