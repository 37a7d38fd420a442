/** The product's relay in a process of its own: `ours.ts LISTEN=CONNECT…`, endpoints each; prints where it listens. */
import { Relay } from '../../../relay/relay.ts';
import { silentLogger } from '../../../runtime/log.ts';
import { formatEndpoint, parseEndpoint } from '../../../wire/endpoint.ts';

const limits = {
  maxConnections: 100_000,
  maxPending: 10_000,
  connectTimeoutMs: 10_000,
  prefaceTimeoutMs: 5_000,
  idleTimeoutMs: 600_000,
};

/** In order, when nobody wants it any more: then compiled code is kept for the next one, which needs no compiler in its memory. */
process.stdin.once('end', () => void relay.stop()).resume();

const relay = new Relay({ logger: silentLogger });
await relay.start(AbortSignal.timeout(10_000));
for (const [index, route] of process.argv.slice(2).entries()) {
  const [listen = '', connect = ''] = route.split('=');
  const bound = await relay.addRoute({
    label: `route-${index}`,
    listen: parseEndpoint(listen),
    connect: parseEndpoint(connect),
    preface: { kind: 'none' },
    limits,
  });
  console.log(formatEndpoint(bound));
}
