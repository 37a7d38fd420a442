import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { Relay } from '../../../../relay/relay.ts';
import { silentLogger } from '../../../../runtime/log.ts';
import { BootTable, boot } from '../../../../supervisor/boot/phase.ts';
import type { Configured } from '../../../../supervisor/boot/phases/configuration.ts';
import type { ControlReady } from '../../../../supervisor/boot/phases/control.ts';
import { heartbeatPhase } from '../../../../supervisor/boot/phases/heartbeat.ts';
import { SupervisorError } from '../../../../supervisor/errors.ts';
import type { Platform } from '../../../../supervisor/platform.ts';
import type { StatusBoard } from '../../../../supervisor/status.ts';
import { CID_PARENT } from '../../../../wire/brands.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { phaseContext } from '../../support/phase-context.ts';

const table = BootTable.empty<ControlReady & Configured>().phase(heartbeatPhase);
const signal = () => new AbortController().signal;

/** The phase over a real relay; the parent would listen on `parentPath`. */
async function surroundings(t: TapTest, sendsHeartbeat = true) {
  const folder = temporaryFolder(t);
  const vsockPath = join(folder, 'vm.vsock');
  const relay = new Relay({ logger: silentLogger });
  await relay.start(signal());
  t.teardown(() => relay.stop());
  const platform: Partial<Platform> = {
    sendsHeartbeat,
    runtimeFolder: folder,
    parentPort: (port) => ({ kind: 'vsock-uds-guest', path: vsockPath, port, cid: CID_PARENT }),
  };
  const context = phaseContext('heartbeat', new FakeClock(), platform);
  const { clock, status, logger } = context;
  const run = (stop = signal()) => boot(table, { relay }, context, stop);
  return {
    relay,
    clock,
    status,
    logger,
    run,
    socketPath: join(folder, 'heartbeat.sock'),
    parentPath: `${vsockPath}_9000`,
  };
}

/** Resolves when a beat failed and the next one waits for its turn. */
function untilUnanswered({ status }: { status: StatusBoard }): Promise<string> {
  return new Promise((resolve) => {
    status.subscribe(({ errorCode, detail }) => {
      if (errorCode === 'BOOT_HEARTBEAT_UNANSWERED') resolve(detail ?? '');
    });
  });
}

/** What the parent got on each connection, until the enclave closed it. */
async function parentAt(t: TapTest, path: string, answer: (socket: Socket, byte: Buffer) => void) {
  const heard: Promise<Buffer>[] = [];
  const server = createServer((socket) => {
    const chunks: Buffer[] = [];
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      answer(socket, chunk);
    });
    heard.push(once(socket, 'close').then(() => Buffer.concat(chunks)));
  }).listen(path);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { heard: () => Promise.all(heard) };
}

const echo = (socket: Socket, byte: Buffer) => void socket.write(byte);

t.test('sends the byte 0xB7 to port 9000 of the parent, once, and takes the same byte back', async (t) => {
  const { run, parentPath, logger } = await surroundings(t);
  const parent = await parentAt(t, parentPath, echo);
  await run();
  t.same(await parent.heard(), [Buffer.of(0xb7)]);
  t.ok(logger.events().includes('heartbeat.answered'));
});

t.test('closes its route afterwards', async (t) => {
  const { run, parentPath, relay, socketPath, clock } = await surroundings(t);
  await parentAt(t, parentPath, echo);
  await run();
  t.match(await relay.snapshot(), { listeners: 0, connections: 0 });
  t.notOk(existsSync(socketPath));
  t.equal(clock.sleeping, 0, 'no timer is left');
});

t.test('does nothing where another init has sent it', async (t) => {
  const { run, parentPath, relay, logger } = await surroundings(t, false);
  const parent = await parentAt(t, parentPath, echo);
  await run();
  t.same(await parent.heard(), []);
  t.same(relay.counters(), {});
  t.notOk(logger.events().includes('heartbeat.answered'));
});

t.test('keeps trying until somebody listens', async (t) => {
  const over = await surroundings(t);
  const unanswered = untilUnanswered(over);
  const booting = over.run();
  t.match(await unanswered, 'nobody took the heartbeat');
  const parent = await parentAt(t, over.parentPath, echo);
  over.clock.advance(1000);
  await booting;
  t.same(await parent.heard(), [Buffer.of(0xb7)]);
});

t.test('rejects a parent that never listens, at the deadline (BOOT_HEARTBEAT_UNANSWERED)', async (t) => {
  const over = await surroundings(t);
  const unanswered = untilUnanswered(over);
  const booting = rejectsCode(() => over.run(), SupervisorError, 'BOOT_DEADLINE');
  await unanswered;
  over.clock.advance(60_001);
  const error = await booting;
  t.match(error.message, 'heartbeat');
  t.match(error.found, /nobody took the heartbeat.*BOOT_HEARTBEAT_UNANSWERED/);
});

for (const [what, answer] of [
  ['another byte', Buffer.of(0xb6)],
  ['a zero', Buffer.of(0)],
] as const) {
  t.test(`rejects ${what} for an answer, at the deadline (BOOT_HEARTBEAT_UNANSWERED)`, async (t) => {
    const over = await surroundings(t);
    await parentAt(t, over.parentPath, (socket) => void socket.write(answer));
    const unanswered = untilUnanswered(over);
    const booting = rejectsCode(() => over.run(), SupervisorError, 'BOOT_DEADLINE');
    t.match(await unanswered, `came back changed; found: ${answer[0]}; allowed: 183`);
    over.clock.advance(60_001);
    t.match((await booting).found, 'BOOT_HEARTBEAT_UNANSWERED');
  });
}

t.test('rejects a parent that takes the byte and closes (BOOT_HEARTBEAT_UNANSWERED)', async (t) => {
  const over = await surroundings(t);
  await parentAt(t, over.parentPath, (socket) => void socket.end());
  const unanswered = untilUnanswered(over);
  const booting = rejectsCode(() => over.run(), SupervisorError, 'BOOT_DEADLINE');
  t.match(await unanswered, 'nobody took the heartbeat');
  over.clock.advance(60_001);
  t.match((await booting).found, 'BOOT_HEARTBEAT_UNANSWERED');
});

t.test('rejects a parent that takes the byte and stays silent, at the deadline (BOOT_DEADLINE)', async (t) => {
  const over = await surroundings(t);
  const taken = Promise.withResolvers<void>();
  await parentAt(t, over.parentPath, () => taken.resolve());
  const booting = rejectsCode(() => over.run(), SupervisorError, 'BOOT_DEADLINE');
  await taken.promise;
  over.clock.advance(60_001);
  t.match((await booting).message, 'heartbeat');
});

t.test('stops when told to', async (t) => {
  const over = await surroundings(t);
  const stop = new AbortController();
  const unanswered = untilUnanswered(over);
  const booting = over.run(stop.signal);
  await unanswered;
  stop.abort(new Error('told to'));
  await t.rejects(booting, { message: 'told to' });
  t.equal(over.clock.sleeping, 0, 'no timer is left');
});
