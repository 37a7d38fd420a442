/** Whoever probes a program is a client as others are: it takes what is said to it, and goes when it has heard the end. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import t from 'tap';
import { systemClock } from '../../../../runtime/clock.ts';
import { requireReady } from '../../../../supervisor/workloads/app/probes.ts';

t.test('takes what a program says to a probe by TCP, and does not reset its connection', async (t) => {
  const heard = Promise.withResolvers<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    heard.resolve(socket);
    socket.on('error', () => undefined).resume();
    socket.write('who is there?'.repeat(100_000));
    socket.once('end', () => socket.end());
  });
  t.teardown(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const probe = { tcp: { kind: 'tcp', host: '127.0.0.1', port } } as const;
  const run = () => Promise.reject(new Error('nothing is run'));
  const deps = { program: 'one', probe, timeoutMs: 10_000, clock: systemClock, run };
  await requireReady(deps, new AbortController().signal);
  const socket = await heard.promise;
  const [hadError] = await once(socket, 'close');
  t.equal(hadError, false);
});
