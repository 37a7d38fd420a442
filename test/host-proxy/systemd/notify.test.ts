import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { SystemdError } from '../../../host-proxy/systemd/errors.ts';
import { serviceManager } from '../../../host-proxy/systemd/notify.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { receiveAt } from './receiver.ts';

const WATCHDOG_USEC = '30000000';
const PING_MS = 15_000;

function startReceiver(t: Parameters<typeof temporaryFolder>[0]) {
  const path = join(temporaryFolder(t), 'notify');
  return { path, receiver: receiveAt(t, path) };
}

for (const [kind, pathOf] of [
  ['a path', (t: Parameters<typeof temporaryFolder>[0]) => join(temporaryFolder(t), 'notify')],
  ['an abstract address', () => `@acra-enclave-test-${randomUUID()}`],
] as const) {
  t.test(`tells ready, status and stopping to ${kind}`, async (t) => {
    const path = pathOf(t);
    const receiver = receiveAt(t, path);
    const manager = serviceManager({ NOTIFY_SOCKET: path }, new FakeClock());
    manager.status('starting the enclave');
    manager.ready();
    manager.stopping();
    t.same(receiver.takeAll(), ['STATUS=starting the enclave', 'READY=1', 'STOPPING=1']);
  });
}

t.test('does nothing outside a service', async (t) => {
  const stop = new AbortController();
  const manager = serviceManager({ WATCHDOG_USEC: 'nonsense' }, new FakeClock());
  manager.ready();
  manager.status('text');
  manager.stopping();
  const watching = manager.watch(() => t.fail('nobody asks'), stop.signal);
  stop.abort();
  await watching;
  manager.close();
});

t.test('keeps a status on one line, so that it cannot pass for another message', async (t) => {
  const { path, receiver } = startReceiver(t);
  serviceManager({ NOTIFY_SOCKET: path }, new FakeClock()).status('first\nREADY=1\r\n\u0000MAINPID=1 ');
  t.equal(receiver.take(), 'STATUS=first READY=1 MAINPID=1');
});

t.test('keeps a status within 1 KiB of whole characters', async (t) => {
  const { path, receiver } = startReceiver(t);
  serviceManager({ NOTIFY_SOCKET: path }, new FakeClock()).status(`x${'é'.repeat(2000)}`);
  t.equal(receiver.take(), `STATUS=x${'é'.repeat(511)}`);
});

for (const [watchdog, environment] of [
  ['without a watchdog', {}],
  ['with one', { WATCHDOG_USEC }],
] as const) {
  t.test(`asks for more time while the service starts, as long as it is alive, ${watchdog}`, async (t) => {
    const { path, receiver } = startReceiver(t);
    const clock = new FakeClock();
    const stop = new AbortController();
    let alive = true;
    const manager = serviceManager({ NOTIFY_SOCKET: path, ...environment }, clock);
    const watching = manager.watch(() => alive, stop.signal);
    const asked: number[] = [];
    for (const next of [() => undefined, () => (alive = false), () => (alive = true), () => manager.ready()]) {
      await clock.untilSleeping();
      asked.push(receiver.takeAll().filter((message) => message === 'EXTEND_TIMEOUT_USEC=60000000').length);
      next();
      clock.advance(PING_MS);
      await new Promise(setImmediate);
    }
    asked.push(receiver.takeAll().filter((message) => message.startsWith('EXTEND')).length);
    stop.abort();
    await watching;
    t.same(asked, [1, 1, 0, 1, 0]);
    t.same(new Set(clock.sleptMs), new Set([PING_MS]));
  });
}

t.test('asks for no more time once it stops', async (t) => {
  const { path, receiver } = startReceiver(t);
  const stop = new AbortController();
  const clock = new FakeClock();
  const manager = serviceManager({ NOTIFY_SOCKET: path }, clock);
  manager.stopping();
  const watching = manager.watch(() => true, stop.signal);
  await clock.untilSleeping();
  t.same(receiver.takeAll(), ['STOPPING=1']);
  stop.abort();
  await watching;
});

t.test('pings at half of the watchdog time, and only while alive', async (t) => {
  const { path, receiver } = startReceiver(t);
  const clock = new FakeClock();
  const stop = new AbortController();
  let alive = true;
  const environment = { NOTIFY_SOCKET: path, WATCHDOG_USEC, WATCHDOG_PID: String(process.pid) };
  const manager = serviceManager(environment, clock);
  manager.ready();
  receiver.take();
  const watching = manager.watch(() => alive, stop.signal);
  const taken: number[] = [];
  for (const next of [true, false, true]) {
    await clock.untilSleeping();
    taken.push(receiver.takeAll().filter((message) => message === 'WATCHDOG=1').length);
    alive = next;
    clock.advance(PING_MS);
    await new Promise(setImmediate);
  }
  taken.push(receiver.takeAll().length);
  stop.abort();
  await watching;
  t.same(taken, [1, 1, 0, 1]);
  t.same(new Set(clock.sleptMs), new Set([PING_MS]));
  t.equal(clock.sleeping, 0, 'no timer is left');
});

t.test('sends no ping where the watchdog waits for another process', async (t) => {
  const { path, receiver } = startReceiver(t);
  const clock = new FakeClock();
  const stop = new AbortController();
  const environment = { NOTIFY_SOCKET: path, WATCHDOG_USEC, WATCHDOG_PID: String(process.pid + 1) };
  const watching = serviceManager(environment, clock).watch(() => true, stop.signal);
  await clock.untilSleeping();
  t.notOk(receiver.takeAll().includes('WATCHDOG=1'));
  stop.abort();
  await watching;
});

t.test('sends nothing after close, and holds no descriptor', async (t) => {
  const { path, receiver } = startReceiver(t);
  const before = readdirSync('/proc/self/fd').length;
  const manager = serviceManager({ NOTIFY_SOCKET: path }, new FakeClock());
  for (let i = 0; i < 3; i++) manager.status('text');
  t.equal(readdirSync('/proc/self/fd').length, before);
  manager.close();
  manager.ready();
  t.equal(receiver.takeAll().length, 3);
});

t.test('rejects readiness that nobody receives (SYSTEMD_SEND), and lets a status go', async (t) => {
  const manager = serviceManager({ NOTIFY_SOCKET: join(temporaryFolder(t), 'nobody') }, new FakeClock());
  manager.status('text');
  manager.stopping();
  throwsCode(() => manager.ready(), SystemdError, 'SYSTEMD_SEND');
});

t.test('never waits for a service manager that does not read', async (t) => {
  const { path } = startReceiver(t);
  const manager = serviceManager({ NOTIFY_SOCKET: path }, new FakeClock());
  throwsCode(
    () => {
      for (let i = 0; i < 100_000; i++) manager.ready();
    },
    SystemdError,
    'SYSTEMD_SEND',
  );
});

for (const path of ['relative', '@', 'vsock:2:1234', `/${'x'.repeat(107)}`]) {
  t.test(`rejects NOTIFY_SOCKET=${path.slice(0, 20)} (SYSTEMD_ADDRESS)`, async () => {
    throwsCode(() => serviceManager({ NOTIFY_SOCKET: path }, new FakeClock()), SystemdError, 'SYSTEMD_ADDRESS');
  });
}

for (const text of ['', '0', '-1', '1e6', '1999', '30s']) {
  t.test(`rejects WATCHDOG_USEC=${text} (SYSTEMD_WATCHDOG)`, async () => {
    const environment = { NOTIFY_SOCKET: '/run/systemd/notify', WATCHDOG_USEC: text };
    throwsCode(() => serviceManager(environment, new FakeClock()), SystemdError, 'SYSTEMD_WATCHDOG');
  });
}
