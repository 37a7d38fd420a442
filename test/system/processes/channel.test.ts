import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import t, { type Test as TapTest } from 'tap';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import type { SystemError } from '../../../system/errors.ts';
import { Channel, type ChannelHandlers } from '../../../system/processes/channel.ts';
import { launch } from '../../../system/processes/launch.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

async function pair(t: TapTest): Promise<readonly [Socket, Socket]> {
  const path = join(temporaryFolder(t), 's');
  const server = createServer().listen(path);
  await once(server, 'listening');
  const near = dial(path);
  const [far] = await once(server, 'connection');
  t.teardown(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return [near, far];
}

interface Heard {
  readonly message: unknown;
  readonly secrets: readonly string[];
}

/** Collects what comes; `next` waits for one more. */
function listenOn(socket: Duplex, paceBy?: FakeClock) {
  const heard: Heard[] = [];
  let fault: SystemError | undefined | 'none' = 'none';
  let wake = () => undefined as unknown;
  const handlers: ChannelHandlers = {
    onMessage: (message, secrets) => {
      heard.push({ message, secrets: secrets.map((secret) => secret.use((bytes) => bytes.toString())) });
      wake();
    },
    onEnd: (reason) => {
      fault = reason;
      wake();
    },
  };
  const channel = new Channel(socket, handlers, paceBy);
  const until = async (isThere: () => boolean) => {
    while (!isThere()) await new Promise<void>((resolve) => (wake = () => resolve()));
  };
  return { channel, heard, until, ended: () => fault };
}

t.test('keeps messages and their secrets together and in order, in pieces of any size', async (t) => {
  const [near, far] = await pair(t);
  const told = listenOn(near);
  const sender = new Channel(far, { onMessage: () => undefined, onEnd: () => undefined });
  const secret = (text: string) => SecretBuffer.take(Buffer.from(text));
  sender.send({ type: 'one', text: 'ü' });
  sender.send({ type: 'two' }, [secret('first'), secret(''), secret('x'.repeat(200_000))]);
  await told.until(() => told.heard.length === 2);
  t.same(told.heard, [
    { message: { type: 'one', text: 'ü' }, secrets: [] },
    { message: { type: 'two' }, secrets: ['first', '', 'x'.repeat(200_000)] },
  ]);
  far.write(Buffer.from([0, 0, 0]));
  far.write(Buffer.from([6, 0, 0, 0, 2]));
  far.write('{}');
  await told.until(() => told.heard.length === 3);
  t.same(told.heard[2], { message: {}, secrets: [] });
});

t.test(
  'sends what it was given to whoever reads late, though the secret was disposed of, and keeps no copy',
  async (t) => {
    const written: Buffer[] = [];
    const taken: (() => void)[] = [];
    const stream = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        written.push(chunk);
        taken.push(done);
      },
    });
    const channel = new Channel(stream, { onMessage: () => undefined, onEnd: () => undefined });
    t.teardown(() => channel.close());
    const secret = SecretBuffer.take(Buffer.from('pencil'));
    channel.send({}, [secret]);
    secret.dispose();
    taken.shift()?.();
    taken.shift()?.();
    t.equal(written[2]?.toString(), 'pencil');
    taken.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
    t.strictSame(written[2], Buffer.alloc(6));
  },
);

const BROKEN = {
  'a length beyond all bounds': Buffer.from('ffffffff', 'hex'),
  'a part longer than its frame': Buffer.from('00000006000000ff7b7d', 'hex'),
  'a frame that ends in the length of a part': Buffer.from('000000080000000274657800', 'hex'),
  'what is no JSON': Buffer.from('000000060000000278797a7a', 'hex'),
};
for (const [name, bytes] of Object.entries(BROKEN)) {
  t.test(`rejects ${name} (SYSTEM_CHANNEL)`, async (t) => {
    const [near, far] = await pair(t);
    const told = listenOn(near);
    far.write(bytes);
    await told.until(() => told.ended() !== 'none');
    t.match(told.ended(), { code: 'SYSTEM_CHANNEL' });
    t.ok(near.destroyed);
  });
}

t.test(
  'ends with whoever reads nothing of what it is told, before that fills the memory (SYSTEM_CHANNEL)',
  async (t) => {
    const stream = new Duplex({ read: () => undefined, write: () => undefined });
    const told = listenOn(stream);
    const token = SecretBuffer.take(Buffer.alloc(1024 * 1024, 'x'));
    for (let sent = 0; sent < 100 && told.ended() === 'none'; sent += 1) told.channel.send({}, [token]);
    t.match(told.ended(), { code: 'SYSTEM_CHANNEL', found: /^3\d{7} bytes wait$/ });
    t.ok(stream.destroyed);
  },
);

t.test('hears so much a second of an end that is paced, and all of it in the end', async (t) => {
  const [near, far] = await pair(t);
  const clock = new FakeClock();
  const told = listenOn(near, clock);
  const sender = new Channel(far, { onMessage: () => undefined, onEnd: () => undefined });
  const messages = 10_000;
  for (let sent = 0; sent < messages; sent += 1) sender.send({ sent });
  await told.until(() => told.heard.length === 4_000);
  await clock.untilSleeping();
  t.equal(told.heard.length, 4_000);
  let seconds = 0;
  for (; told.heard.length < messages; seconds += 1) {
    const before = told.heard.length;
    clock.advance(1_000);
    const next = Math.min(before + 2_000, messages);
    await told.until(() => told.heard.length >= next);
    if (next < messages) await clock.untilSleeping();
    t.equal(told.heard.length, next);
  }
  t.equal(seconds, 3);
  t.same(
    told.heard.map(({ message }) => message),
    Array.from({ length: messages }, (_, sent) => ({ sent })),
  );
});

t.test('counts a long message as often as it is long', async (t) => {
  const [near, far] = await pair(t);
  const clock = new FakeClock();
  const told = listenOn(near, clock);
  const sender = new Channel(far, { onMessage: () => undefined, onEnd: () => undefined });
  // Each of 32 times 4 KiB: 125 of them are the 4,000 that may come at once.
  for (let sent = 0; sent < 130; sent += 1) sender.send({ text: 'x'.repeat(32 * 4_096 - 20) });
  await told.until(() => told.heard.length === 125);
  await clock.untilSleeping();
  t.equal(told.heard.length, 125);
  clock.advance(1_000);
  await told.until(() => told.heard.length === 130);
});

t.test('rejects of an end that is paced what no message of a program is as long as (SYSTEM_CHANNEL)', async (t) => {
  const [near, far] = await pair(t);
  const told = listenOn(near, new FakeClock());
  far.write(Buffer.from([0, 4, 0, 1]));
  await told.until(() => told.ended() !== 'none');
  t.match(told.ended(), { code: 'SYSTEM_CHANNEL', found: '262145 bytes' });
});

t.test('leaves no timer behind where it is closed while it waits', async (t) => {
  const [near, far] = await pair(t);
  const clock = new FakeClock();
  const told = listenOn(near, clock);
  const sender = new Channel(far, { onMessage: () => undefined, onEnd: () => undefined });
  for (let sent = 0; sent < 4_001; sent += 1) sender.send({ sent });
  await clock.untilSleeping();
  told.channel.close();
  t.equal(clock.sleeping, 0);
  t.equal(told.ended(), undefined);
});

t.test('tells once that the other end is gone', async (t) => {
  const [near, far] = await pair(t);
  const told = listenOn(near);
  far.destroy();
  await told.until(() => told.ended() !== 'none');
  t.equal(told.ended(), undefined);
  told.channel.send({ type: 'late' });
});

t.test('gives a launched program its end, and the umask that it is to have', async (t) => {
  const { process: child, channel } = launch({
    program: '/bin/sh',
    arguments: ['-c', 'umask >&4; cat <&4 >&4'],
    environment: {},
    secrets: [],
    confinement: { user: undefined, enclose: () => undefined },
    hasChannel: true,
    umask: 0o007,
  });
  t.teardown(() => child.kill('SIGKILL'));
  if (!channel) throw new Error('no channel');
  const [first] = await once(channel, 'data');
  t.equal(String(first).trim(), '0007');
  channel.write('echo');
  const [second] = await once(channel, 'data');
  t.equal(String(second), 'echo');
  channel.end();
  const [code] = await once(child, 'close');
  t.equal(code, 0);
});
