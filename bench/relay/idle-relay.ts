/** The relay in a process of its own: `idle-relay.ts HOLD_PORT ECHO_PORT` prints two ports; each line on stdin is answered with a report. */
import { createInterface } from 'node:readline';
import { Relay } from '../../relay/relay.ts';
import { silentLogger } from '../../runtime/log.ts';
import { parseEndpoint } from '../../wire/endpoint.ts';

const limits = {
  maxConnections: 100_000,
  maxPending: 10_000,
  connectTimeoutMs: 10_000,
  prefaceTimeoutMs: 5000,
  idleTimeoutMs: 600_000,
};
const relay = new Relay({ logger: silentLogger });
await relay.start(AbortSignal.timeout(10_000));
for (const [label, port] of [
  ['idle', process.argv[2]],
  ['active', process.argv[3]],
] as const) {
  const listen = await relay.addRoute({
    label,
    listen: parseEndpoint('tcp://127.0.0.1:0'),
    connect: parseEndpoint(`tcp://127.0.0.1:${port}`),
    preface: { kind: 'none' },
    limits,
  });
  console.log('port' in listen ? listen.port : 0);
}
const input = createInterface({ input: process.stdin });
input.on('close', () => void relay.stop());
input.on('line', () => {
  console.log(JSON.stringify({ opened: relay.counters()['idle']?.opened ?? 0, rssBytes: process.memoryUsage.rss() }));
});
