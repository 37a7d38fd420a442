/**
 * What vsock carries badly where nobody takes care (docs/decisions/0029): a slow reader of many short rows loses nothing and is not
 * reset; whoever writes for ever to what does not read holds up nobody else, and memory stays bounded.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { request } from 'undici';
import { VSOCK_BUFFER_BYTES } from '../../system/libc/vsock-buffer.ts';
import { AppMachine } from './support/app-machine.ts';

const ROWS = 40_000;
const WORD_BYTES = 16;
const HELD_BYTES = 256 * 1024;
const FLOODS = 8;

const machine = await AppMachine.serve(t, {
  enclave: {
    programs: { probe: { command: ['node', '/probe/vsock-probe.ts'] } },
    ingress: { probe: { to: 'tcp://127.0.0.1:7000', vsockPort: 7000 } },
    health: { maxClockJumpMs: 3_600_000, probeTimeoutMs: 30_000 },
  },
  host: { ingress: { probe: { listen: 'tcp://127.0.0.1:0', vsockPort: 7000 } } },
});
await machine.untilRecord(({ event, fields }) => event === 'program.output' && fields?.['text'] === 'listening');

const word = (what: string, argument = 0) => `${what} ${argument}`.padEnd(WORD_BYTES);

async function ask(what: string, argument = 0): Promise<Socket> {
  const { host, port } = machine.address;
  const socket = connect({ host, port });
  await once(socket, 'connect');
  socket.write(word(what, argument));
  return socket;
}

async function all(socket: Socket): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const bytes of socket as AsyncIterable<Buffer>) pieces.push(bytes);
  return Buffer.concat(pieces);
}

/** What both sides' relays count on the route of this test; one value for each series. */
async function metric(name: string, labels = ''): Promise<readonly number[]> {
  const { body } = await request(`${machine.adminUrl}/metrics`);
  const lines = (await body.text()).split('\n').filter((line) => line.startsWith(`acra_enclave_relay_${name}{`));
  const wanted = lines.filter((line) => line.includes('route="ingress-probe"') && line.includes(labels));
  return wanted.map((line) => Number(line.split(' ').at(-1)));
}

/** Until the parent's relay has more of one connection than its peer took: from there on all behind it fills up. */
async function untilParentHolds(bytes: number): Promise<void> {
  for (;;) {
    const [held = 0] = await metric('largest_pending_bytes', 'side="parent"');
    if (held >= bytes) return;
    await new Promise(setImmediate);
  }
}

t.test('reads back the buffer of a vsock socket in the enclave', async (t) => {
  const { fields } = await machine.untilRecord(
    ({ event, fields }) => event === 'relay.listening' && fields?.['vsockBufferBytes'] !== undefined,
  );
  t.equal(fields?.['vsockBufferBytes'], VSOCK_BUFFER_BYTES);
});

t.test('a slow reader of many short rows gets each of them, and is not reset', async (t) => {
  const socket = await ask('rows', ROWS);
  await untilParentHolds(1);
  const received = await all(socket);
  const rows = received.subarray(0, -64);
  t.equal(rows.length, ROWS * 150);
  t.equal(createHash('sha256').update(rows).digest('hex'), String(received.subarray(-64)));
});

t.test('a slow reader in the enclave gets many short writes whole', async (t) => {
  const count = 5000;
  const socket = await ask('take', count * 200);
  const hash = createHash('sha256');
  for (let index = 0; index < count; index++) {
    const bytes = Buffer.alloc(200, `${index};`);
    hash.update(bytes);
    if (!socket.write(bytes)) await once(socket, 'drain');
    else await new Promise(setImmediate);
  }
  t.equal(String(await all(socket)), hash.digest('hex'));
});

/** Offers more than all buffers on the way take. */
function flood(socket: Socket): void {
  const piece = Buffer.alloc(64 * 1024, 'x');
  for (let count = 0; count < 256; count++) socket.write(piece);
}

t.test('floods in one direction, then in the other, hold up nobody else, and memory stays bounded', async (t) => {
  const deaf = await Promise.all(Array.from({ length: FLOODS }, () => ask('deaf')));
  deaf.forEach(flood);
  await untilParentHolds(100_000);
  t.equal(String(await all(await ask('echo', 1))), 'echo 1', 'into the enclave');
  const flooding = await Promise.all(Array.from({ length: FLOODS }, () => ask('flood')));
  for (const socket of flooding) socket.pause();
  t.equal(String(await all(await ask('echo', 2))), 'echo 2', 'and out of it');
  for (const held of await metric('largest_pending_bytes')) t.ok(held <= HELD_BYTES, `${held} bytes held`);
  for (const socket of [...deaf, ...flooding]) socket.destroy();
  const received = await all(await ask('rows', 500));
  t.equal(received.length, 500 * 150 + 64, 'rows come as before');
});

t.test('nothing of it was reset', async (t) => {
  for (const labels of ['stage="connect"', 'stage="accept"', 'error="enobufs"']) {
    const counts = await metric('resets_total', labels);
    t.ok(counts.length > 0, `${labels} is told`);
    t.same(
      counts.filter((count) => count > 0),
      [],
      labels,
    );
  }
});
