/** Applications come and go as they like: one that leaves, at whatever moment, harms neither the machine nor the others. */
import { createConnection, type Socket } from 'node:net';
import t from 'tap';
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import { SSL_REQUEST } from '../../postgres/start-up.ts';
import { encodeConnectLine } from '../../relay/preface/hybrid.ts';
import { systemClock } from '../../runtime/clock.ts';
import { encodeProxyHeader } from '../../wire/proxy-protocol.ts';
import { VSOCK_PORTS } from '../../wire/routes.ts';
import { EnclaveStack, step } from '../enclave/support/enclave-stack.ts';
import { explaining } from '../enclave/support/explaining.ts';

/** Of each kind; fewer than the enclave takes at once before it has dealt with them (`ingressLimits.maxPending`). */
const TIMES = 50;
const AT_ONCE = 10;
const POLL_MS = 200;
const CONNECT = encodeConnectLine(VSOCK_PORTS.ingress);
/** As host-proxy passes it on. */
const REQUEST = Buffer.concat([encodeProxyHeader(undefined), SSL_REQUEST]);
const HELD_BY_ENCLAVE = /^acra_enclave_relay_active_connections\{side="enclave",route="ingress"\} (\d+)$/m;

/** What an application does before it leaves. */
const MOMENTS: Readonly<Record<string, (socket: Socket) => Promise<void>>> = {
  'without a word': async () => undefined,
  'in the middle of its request': (socket) => written(socket, CONNECT.subarray(0, 5)),
  'before the enclave has accepted': (socket) => written(socket, CONNECT),
  'with data on its way': (socket) => written(socket, Buffer.concat([CONNECT, REQUEST])),
  'when the enclave has accepted': async (socket) => {
    await written(socket, CONNECT);
    await new Promise((resolve) => socket.once('readable', resolve));
  },
  'with an answer unread': async (socket) => {
    await written(socket, CONNECT);
    await new Promise((resolve) => socket.once('data', resolve));
    socket.pause();
    await written(socket, REQUEST);
  },
};

function written(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => socket.write(bytes, () => resolve()));
}

async function comeAndGo(path: string, act: (socket: Socket) => Promise<void>): Promise<void> {
  const socket = createConnection({ path });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  await Promise.race([new Promise((resolve) => socket.once('connect', resolve)), closed]);
  await Promise.race([act(socket), closed]);
  socket.destroy();
  await closed;
}

t.test('an enclave whose applications leave', async (t) => {
  const stack = await EnclaveStack.prepare(t);
  const { address } = await stack.serve();
  const faithful = await connectThroughEnclave(stack, address);
  t.teardown(() => faithful.end());
  const test = explaining(t, stack);

  for (const [moment, act] of Object.entries(MOMENTS)) {
    await test(`keeps serving when they leave ${moment}`, async (t) => {
      const turns = Array.from({ length: TIMES }).values();
      const visit = async () => {
        for (const _ of turns) await comeAndGo(stack.guestPath, act);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, visit));
      const other = await connectThroughEnclave(stack, address);
      t.match(await other.query('SELECT 1 AS one'), { rows: [{ one: 1 }] });
      t.match(await faithful.query('SELECT 2 AS two'), { rows: [{ two: 2 }] });
      await other.end();
    });
  }

  await test('keeps no connection of those that left', async (t) => {
    const held = async () => Number(HELD_BY_ENCLAVE.exec(await stack.metrics())?.[1]);
    const signal = step();
    while ((await held()) !== 1) await systemClock.sleep(POLL_MS, signal);
    t.match(await faithful.query('SELECT 3 AS three'), { rows: [{ three: 3 }] });
  });
});
