/** Must hold 10: no byte lost, repeated or reordered, whatever the sizes of writes and reads, both directions at once. */
import type { Socket } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import type { Endpoint } from '../../wire/endpoint.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { noise } from './support/noise.ts';
import { countersOf, route, settled, startRelay, until } from './support/relay.ts';
import { dial, readAll, readBytes, serve, sha256 } from './support/sockets.ts';

const KIB = 1024;
const EDGES = [1, 31 * KIB, 32 * KIB, 64 * KIB, 224 * KIB, 256 * KIB];
const TOTAL_BYTES = 12_000_000;

/** Sizes around the edges that the relay's buffers and caps have, in random order. */
function chunkSizes(seed: string): number[] {
  const random = seededRandom(seed);
  const sizes: number[] = [];
  for (let total = 0; total < TOTAL_BYTES; total += sizes.at(-1)!) {
    const [edge, offset] = random.bytes(2);
    sizes.push(Math.max(1, EDGES[edge! % EDGES.length]! + (offset! % 3) - 1));
  }
  return sizes;
}

/** Writes in such chunks, as fast as the socket takes them; some in bursts, some one by one. */
async function writeChunks(socket: Socket, seed: string): Promise<string> {
  const sizes = chunkSizes(seed);
  const bytes = noise(
    seed,
    sizes.reduce((sum, size) => sum + size, 0),
  );
  let offset = 0;
  for (const size of sizes) {
    const isTaken = socket.write(bytes.subarray(offset, offset + size));
    offset += size;
    if (!isTaken) await new Promise((resolve) => socket.once('drain', resolve));
    else if (size % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end();
  return sha256(bytes);
}

async function exchange(client: Socket, upstream: Socket, seed: string) {
  return await Promise.all([
    writeChunks(client, `${seed}-up`),
    writeChunks(upstream, `${seed}-down`),
    readAll(upstream).then(sha256),
    readAll(client).then(sha256),
  ]);
}

const COMBINATIONS = [
  ['tcp', 'tcp'],
  ['unix', 'tcp'],
  ['tcp', 'vsock-uds-guest'],
  ['vsock-uds', 'unix'],
  ['vsock-uds-guest', 'vsock-uds-guest'],
] as const;

for (const [from, to] of COMBINATIONS) {
  t.test(`must hold 10: keeps every byte in its place from ${from} to ${to}`, async (t) => {
    const folder = temporaryFolder(t);
    const { relay } = await startRelay(t);
    const paths = { tcp: undefined, unix: join(folder, 'up'), 'vsock-uds-guest': join(folder, 'up_9') };
    const server = await serve(t, () => undefined, paths[to]);
    const connects = {
      tcp: server.endpoint,
      unix: server.endpoint,
      'vsock-uds-guest': `vsock-uds-guest://${folder}/up?port=9`,
    };
    const listens = {
      tcp: 'tcp://127.0.0.1:0',
      unix: `unix://${folder}/in`,
      'vsock-uds': `vsock-uds://${folder}/in?port=4`,
      'vsock-uds-guest': `vsock-uds-guest://${folder}/in?port=4`,
    };
    const listen: Endpoint = await relay.addRoute(route({ listen: listens[from], connect: connects[to] }));
    const client = await dial(t, listen);
    if (from === 'vsock-uds-guest') {
      client.write('CONNECT 4\n');
      await readBytes(client, 'OK 4\n'.length);
    }
    const [sentUp, sentDown, receivedUp, receivedDown] = await exchange(client, await server.next(), `${from}-${to}`);
    t.equal(receivedUp, sentUp);
    t.equal(receivedDown, sentDown);
    await until(() => countersOf(relay).active === 0);
    t.equal((await settled(relay)).errors, 0);
  });
}

t.test('must hold 10: keeps connections apart that move bytes at the same time', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serve(t, (socket) => socket.pipe(socket));
  const listen = await relay.addRoute(route({ connect: server.endpoint }));
  const hashes = await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const client = await dial(t, listen);
      const bytes = noise(`client ${index}`, 300_000);
      client.end(bytes);
      return sha256(await readAll(client)) === sha256(bytes);
    }),
  );
  t.same(hashes, Array(40).fill(true));
});
