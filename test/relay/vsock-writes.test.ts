/** Must hold 3: no write to vsock, or to what leads there, is larger than 31 KiB. */
import { join } from 'node:path';
import t from 'tap';
import { TRANSPORTS } from '../../relay/worker/transport.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { noise } from './support/noise.ts';
import { route, settled, startRelay } from './support/relay.ts';
import { dial, readAll, serve, sha256 } from './support/sockets.ts';

const CAP_BYTES = 31_744;
const OFFERED = noise('vsock-writes', 8_000_000);

t.test('must hold 3: the cap binds every transport that leads to vsock', async (t) => {
  t.equal(TRANSPORTS.vsock.maxWriteBytes, CAP_BYTES);
  t.equal(TRANSPORTS['vsock-uds'].maxWriteBytes, CAP_BYTES);
  t.equal(TRANSPORTS['vsock-uds-guest'].maxWriteBytes, CAP_BYTES);
});

t.test('must hold 3: writes at most 31 KiB at once to a hybrid upstream, and all of it', async (t) => {
  const folder = temporaryFolder(t);
  const { relay } = await startRelay(t);
  const server = await serve(t, () => undefined, join(folder, 'vm_9'));
  const connect = `vsock-uds-guest://${join(folder, 'vm')}?port=9`;
  const client = await dial(t, await relay.addRoute(route({ connect })));
  client.end(OFFERED);
  t.equal(sha256(await readAll(await server.next())), sha256(OFFERED));
  t.equal((await settled(relay)).largestVsockWriteBytes, CAP_BYTES);
});

t.test('must hold 3: writes at most 31 KiB at once to a hybrid downstream, and all of it', async (t) => {
  const folder = temporaryFolder(t);
  const { relay } = await startRelay(t);
  const server = await serve(t, (socket) => socket.end(OFFERED));
  const listen = `vsock-uds://${join(folder, 'vm')}?port=9`;
  const client = await dial(t, await relay.addRoute(route({ listen, connect: server.endpoint })));
  t.equal(sha256(await readAll(client)), sha256(OFFERED));
  t.equal((await settled(relay)).largestVsockWriteBytes, CAP_BYTES);
});

t.test('does not cap TCP', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serve(t, () => undefined);
  const client = await dial(t, await relay.addRoute(route({ connect: server.endpoint })));
  client.end(OFFERED);
  t.equal(sha256(await readAll(await server.next())), sha256(OFFERED));
  t.equal((await settled(relay)).largestVsockWriteBytes, 0);
});
