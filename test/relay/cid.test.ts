/** Must hold 6: a peer from a CID that is not allowed is closed before the connector is dialled, and counted. */
import { join } from 'node:path';
import t from 'tap';
import { RelayError } from '../../relay/errors.ts';
import { toCid } from '../../wire/brands.ts';
import { rejectsCode } from '../support/coded-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { route, settled, startRelay } from './support/relay.ts';
import { closed, dial, echoes, readBytes, serveEcho } from './support/sockets.ts';

t.test('must hold 6: refuses a CID that is not on the list before it dials', async (t) => {
  const folder = temporaryFolder(t);
  const { relay, log } = await startRelay(t);
  const server = await serveEcho(t);
  const allowedCids = [toCid(8), toCid(9)];
  const listen = `vsock-uds://${join(folder, 'vm')}?port=7000&cid=7`;
  const bound = await relay.addRoute(route({ listen, connect: server.endpoint, allowedCids }));
  t.equal(await closed(await dial(t, bound)), 'end');
  t.match(await settled(relay), { accepted: 1, refusedCid: 1, active: 0, connectFailed: 0 });
  t.match((await log.until('relay.refused-cid')).fields, { route: 'route', cid: 7 });
  t.equal(server.sockets.length, 0);
});

t.test('must hold 6: refuses a peer whose CID is not known when there is a list', async (t) => {
  const folder = temporaryFolder(t);
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  const listen = `vsock-uds://${join(folder, 'vm')}?port=7000`;
  const bound = await relay.addRoute(route({ listen, connect: server.endpoint, allowedCids: [toCid(8)] }));
  t.equal(await closed(await dial(t, bound)), 'end');
  t.equal((await settled(relay)).refusedCid, 1);
  t.equal(server.sockets.length, 0);
});

t.test('must hold 6: refuses on the port of a shared path, without OK', async (t) => {
  const folder = temporaryFolder(t);
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  const listen = `vsock-uds-guest://${join(folder, 'vm')}?port=5&cid=2`;
  const bound = await relay.addRoute(route({ listen, connect: server.endpoint, allowedCids: [toCid(3)] }));
  const client = await dial(t, bound);
  client.write('CONNECT 5\n');
  await t.rejects(readBytes(client, 1));
  t.match(await settled(relay), { accepted: 1, refusedCid: 1 });
  t.equal(server.sockets.length, 0);
});

t.test('takes a CID that is on the list', async (t) => {
  const folder = temporaryFolder(t);
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  const listen = `vsock-uds://${join(folder, 'vm')}?port=7000&cid=7`;
  const bound = await relay.addRoute(route({ listen, connect: server.endpoint, allowedCids: [toCid(7)] }));
  t.ok(await echoes(await dial(t, bound)));
  t.equal((await settled(relay)).refusedCid, 0);
});

t.test('rejects an allow-list on a listener that knows no CIDs (RELAY_ENDPOINT_UNSUPPORTED)', async (t) => {
  const { relay } = await startRelay(t);
  const spec = route({ connect: 'tcp://127.0.0.1:1', allowedCids: [toCid(3)] });
  await rejectsCode(() => relay.addRoute(spec), RelayError, 'RELAY_ENDPOINT_UNSUPPORTED');
});
