/** Preface policy http-connect on real sockets: the request names the upstream, if the list allows it. */
import type { Socket } from 'node:net';
import type { Test as Tap } from 'tap';
import t from 'tap';
import type { Relay } from '../../relay/relay.ts';
import type { Authority, RouteLimits } from '../../relay/route.ts';
import { startDeafListener } from './support/deaf-listener.ts';
import { countersOf, route, settled, startRelay, until } from './support/relay.ts';
import { dial, echoes, readAll, readBytes, serve, serveEcho } from './support/sockets.ts';

const OPEN = 'HTTP/1.1 200 Connection Established\r\n\r\n';

async function setScene(
  t: Tap,
  allow: readonly Authority[],
  limits: Partial<RouteLimits> = {},
): Promise<{ readonly relay: Relay; readonly client: Socket }> {
  const resolver = {
    resolve: async () => ({ addresses: [{ family: 4, address: '127.0.0.1' } as const], ttlMs: 1000 }),
  };
  const { relay } = await startRelay(t, { resolver });
  const spec = route({ connect: 'tcp://unused.invalid:1', preface: { kind: 'http-connect', allow }, limits });
  return { relay, client: await dial(t, await relay.addRoute(spec)) };
}

async function echoPort(t: Tap): Promise<number> {
  const { endpoint } = await serveEcho(t);
  return endpoint.kind === 'tcp' ? endpoint.port : 0;
}

t.test('opens a tunnel to an authority on the list', async (t) => {
  const port = await echoPort(t);
  const { relay, client } = await setScene(t, [{ host: 'kms.test', port }]);
  client.write(`CONNECT KMS.test:${port} HTTP/1.1\r\nHost: kms.test:${port}\r\n\r\n`);
  t.equal((await readBytes(client, OPEN.length)).toString(), OPEN);
  t.ok(await echoes(client));
  t.match(await settled(relay), { opened: 1, pending: 0 });
});

t.test('passes on what the client sent right behind its request, and its end', async (t) => {
  const port = await echoPort(t);
  const { client } = await setScene(t, [{ host: 'kms.test', port }]);
  client.end(`CONNECT kms.test:${port} HTTP/1.1\r\n\r\nearly bytes`);
  t.equal((await readAll(client)).toString(), `${OPEN}early bytes`);
});

for (const [what, request, status] of [
  ['an authority that is not on the list', 'CONNECT evil.test:443 HTTP/1.1\r\n\r\n', 403],
  ['another port of a listed host', 'CONNECT kms.test:444 HTTP/1.1\r\n\r\n', 403],
  ['another method', 'GET http://kms.test/ HTTP/1.1\r\n\r\n', 405],
  ['what is not HTTP', '\x16\x03\x01\r\n\r\n', 400],
  ['a head of more than 8 KiB', 'x'.repeat(9000), 431],
] as const) {
  t.test(`refuses ${what} (${status})`, async (t) => {
    const { relay, client } = await setScene(t, [{ host: 'kms.test', port: 443 }]);
    client.write(Buffer.from(request, 'latin1'));
    t.match((await readAll(client)).toString(), new RegExp(`^HTTP/1\\.1 ${status} `));
    await until(() => countersOf(relay).active === 0);
    t.match(await settled(relay), { refusedPreface: 1, connectFailed: 0 });
  });
}

t.test('refuses a request that does not come in time (408)', async (t) => {
  const { relay, client } = await setScene(t, [], { prefaceTimeoutMs: 20 });
  client.write('CONNECT ');
  t.match((await readAll(client)).toString(), /^HTTP\/1\.1 408 /);
  await until(() => countersOf(relay).active === 0);
  t.equal((await settled(relay)).refusedPreface, 1);
});

t.test('answers 502 when the upstream refuses, 504 when it does not answer', async (t) => {
  const gone = await serve(t, () => undefined);
  await gone.close();
  const deaf = startDeafListener(t).endpoint;
  for (const [endpoint, status] of [
    [gone.endpoint, 502],
    [deaf, 504],
  ] as const) {
    const port = endpoint.kind === 'tcp' ? endpoint.port : 0;
    const { relay, client } = await setScene(t, [{ host: '127.0.0.1', port }], { connectTimeoutMs: 50 });
    client.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\n\r\n`);
    t.match((await readAll(client)).toString(), new RegExp(`^HTTP/1\\.1 ${status} `));
    await until(() => countersOf(relay).active === 0);
    t.match(await settled(relay), { refusedPreface: 0, connectFailed: 1 });
  }
});
