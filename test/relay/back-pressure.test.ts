/** Must hold 2: with a stalled reader, user space holds at most 256 KiB a connection, and nothing is lost. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import t from 'tap';

import { temporaryFolder } from '../support/temporary-folder.ts';
import { noise } from './support/noise.ts';
import { route, settled, startRelay, until } from './support/relay.ts';
import { dial, readAll, serve, sha256 } from './support/sockets.ts';

const BUDGET_BYTES = 256 * 1024;
const OFFERED = noise('back-pressure', 1_000_000);
const OFFERS = 40;

/** So many bytes, and not one more. */
async function take(socket: Socket, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let left = length; left > 0; ) {
    const chunk = socket.read(Math.min(left, socket.readableLength)) ?? Buffer.alloc(0);
    if (chunk.length === 0) await once(socket, 'readable');
    chunks.push(chunk);
    left -= chunk.length;
  }
  return Buffer.concat(chunks);
}

t.test('must hold 2: keeps at most 256 KiB while both readers stall, and delivers all of it later', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serve(t, () => undefined);
  const client = await dial(t, await relay.addRoute(route({ connect: server.endpoint })));
  const upstream = await server.next();
  for (let i = 0; i < OFFERS; i++) {
    client.write(OFFERED);
    upstream.write(OFFERED);
  }
  client.end();
  upstream.end();

  let before = -1;
  await until(async () => {
    const { bytesUp, bytesDown } = await settled(relay);
    const isStalled = bytesUp + bytesDown === before && (await relay.snapshot()).pendingBytes > 0;
    before = bytesUp + bytesDown;
    return isStalled;
  });
  const { pendingBytes } = await relay.snapshot();
  t.ok(pendingBytes <= BUDGET_BYTES, `${pendingBytes} bytes pending`);
  t.ok((await settled(relay)).bytesUp < OFFERS * OFFERED.length, 'the writer is held back');

  const whole = sha256(Buffer.concat(Array.from({ length: OFFERS }, () => OFFERED)));
  const [up, down] = await Promise.all([readAll(upstream), readAll(client)]);
  t.same([sha256(up), sha256(down)], [whole, whole]);
  const { largestPendingBytes } = await settled(relay);
  t.ok(largestPendingBytes > 0 && largestPendingBytes <= BUDGET_BYTES, `${largestPendingBytes} bytes at most`);
  await until(async () => (await relay.snapshot()).pendingBytes === 0);
});

t.test('must hold 2: does not read the downstream while its upstream is being connected', async (t) => {
  const folder = temporaryFolder(t);
  const { relay } = await startRelay(t);
  // A hybrid socket that does not answer keeps the relay in connecting.
  const server = await serve(t, () => undefined, join(folder, 'vm'));
  const connect = `vsock-uds://${join(folder, 'vm')}?port=5`;
  const client = await dial(t, await relay.addRoute(route({ connect })));
  const upstream = await server.next();
  client.write(OFFERED);
  t.equal((await relay.snapshot()).pendingBytes, 0);
  upstream.write('OK 5\n');
  client.end();
  const received = await readAll(upstream);
  t.equal(received.subarray(0, 10).toString(), 'CONNECT 5\n');
  t.equal(sha256(received.subarray(10)), sha256(OFFERED));
  t.ok((await settled(relay)).largestPendingBytes <= BUDGET_BYTES);
});

t.test(
  'must hold 2: delivers all to a reader that stalls again and again, between many small messages on unix sockets',
  async (t) => {
    const folder = temporaryFolder(t);
    const { relay } = await startRelay(t);
    const server = await serve(t, () => undefined, join(folder, 'server'));
    const listen = `unix://${join(folder, 'relay')}`;
    const client = await dial(t, await relay.addRoute(route({ listen, connect: server.endpoint })));
    const upstream = await server.next();
    for (let round = 0; round < 3; round++) {
      for (let message = 0; message < 20; message++) {
        client.write('small');
        t.equal(String(await take(upstream, 5)), 'small');
        upstream.write('answer');
        t.equal(String(await take(client, 6)), 'answer');
      }
      client.write(OFFERED);
      await until(async () => (await relay.snapshot()).pendingBytes > 0);
      t.equal(sha256(await take(upstream, OFFERED.length)), sha256(OFFERED));
    }
  },
);
