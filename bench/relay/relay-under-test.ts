/** Runs the product's relay for a measurement: `relay-under-test.ts BULK_PORT PING_PORT` prints its two listening ports. */

import { Relay } from '../../relay/relay.ts';
import { silentLogger } from '../../runtime/log.ts';
import { parseEndpoint } from '../../wire/endpoint.ts';

const limits = {
  maxConnections: 1000,
  maxPending: 100,
  connectTimeoutMs: 5000,
  prefaceTimeoutMs: 5000,
  idleTimeoutMs: 60_000,
};

const relay = new Relay({ logger: silentLogger });
await relay.start(AbortSignal.timeout(10_000));
for (const port of process.argv.slice(2)) {
  const listen = await relay.addRoute({
    label: `to-${port}`,
    listen: parseEndpoint('tcp://127.0.0.1:0'),
    connect: parseEndpoint(`tcp://127.0.0.1:${port}`),
    preface: { kind: 'none' },
    limits,
  });
  console.log('port' in listen ? listen.port : 0);
}
