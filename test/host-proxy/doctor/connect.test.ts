/** The doctor reaches an upstream on the way on which host-proxy does: the same lookup, the same addresses, in the same order. */
import t from 'tap';
import { addressesOf, connectTo } from '../../../host-proxy/doctor/probes/connect.ts';
import type { ResolvedAddress, Resolver } from '../../../relay/resolver.ts';
import { systemResolver } from '../../../relay/resolver.ts';
import { route, startRelay } from '../../relay/support/relay.ts';
import { dial, echoes, serveEcho } from '../../relay/support/sockets.ts';

const soon = () => AbortSignal.timeout(20_000);
const knowing = (...addresses: readonly ResolvedAddress[]): Resolver => ({
  resolve: async () => ({ addresses, ttlMs: 1000 }),
});
const REFUSING: ResolvedAddress = { family: 4, address: '127.0.0.2' };
const LISTENING: ResolvedAddress = { family: 4, address: '127.0.0.1' };

t.test('finds the server that the relay finds, behind an address that refuses', async (t) => {
  const { endpoint } = await serveEcho(t);
  if (endpoint.kind !== 'tcp') throw new Error('tcp only');
  const upstream = { kind: 'tcp', host: 'db.test', port: endpoint.port } as const;
  const resolver = knowing(REFUSING, LISTENING);
  const { relay } = await startRelay(t, { resolver });
  t.ok(await echoes(await dial(t, await relay.addRoute(route({ connect: upstream })))), 'the relay');
  const socket = await connectTo(upstream, soon(), resolver);
  t.teardown(() => socket.destroy());
  t.ok(await echoes(socket), 'the doctor');
});

t.test('tries the addresses in the order of the relay', async (t) => {
  const six: ResolvedAddress = { family: 6, address: 'fd00::7' };
  t.same(await addressesOf('db.test', soon(), knowing(REFUSING, LISTENING, six)), [
    'fd00::7',
    '127.0.0.2',
    '127.0.0.1',
  ]);
  t.same(await addressesOf('192.0.2.1', soon(), knowing()), ['192.0.2.1'], 'an address needs no lookup');
});

t.test('rejects with the reason of the last address, or because there is none', async (t) => {
  const upstream = { kind: 'tcp', host: 'db.test', port: 1 } as const;
  await t.rejects(connectTo(upstream, soon(), knowing(REFUSING, LISTENING)), {
    code: 'ECONNREFUSED',
    address: '127.0.0.1',
  });
  await t.rejects(connectTo(upstream, soon(), knowing()), { message: 'db.test has no address' });
});

t.test('uses the system’s lookup unless told otherwise, as the relay does', async (t) => {
  const { addresses } = await systemResolver.resolve('localhost', soon());
  t.same([...(await addressesOf('localhost', soon()))].sort(), addresses.map(({ address }) => address).sort());
});
