/** Whoever probes a program is a client as others are: it takes what is said to it, goes when it has heard the end, and hangs on no answer. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import t from 'tap';
import { systemClock } from '../../../../runtime/clock.ts';
import { SupervisorError } from '../../../../supervisor/errors.ts';
import { requireReady } from '../../../../supervisor/workloads/app/probes.ts';
import { byteProgram } from '../../../sessions/ports/support/programs.ts';
import { rejectsCode } from '../../../support/coded-error.ts';

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

const ANSWERS: Readonly<Record<string, string>> = {
  'another protocol': 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
  'no HTTP': 'SSH-2.0-x\r\n',
  'half a head': 'HTTP/1.1 200 OK\r\nContent-',
  nothing: '',
  'a failure': 'HTTP/1.1 500 Error\r\nContent-Length: 0\r\n\r\n',
};

for (const [what, answer] of Object.entries(ANSWERS)) {
  t.test(`tells a program that answers its HTTP probe with ${what} (PROGRAM_NOT_READY)`, async () => {
    const { port } = await byteProgram(t, (socket) => void socket.once('data', () => socket.end(answer, 'latin1')));
    const deps = {
      program: 'web',
      probe: { http: `http://127.0.0.1:${port}/` },
      timeoutMs: 60_000,
      clock: systemClock,
      run: () => Promise.reject(new Error('no command')),
    };
    await rejectsCode(() => requireReady(deps, new AbortController().signal), SupervisorError, 'PROGRAM_NOT_READY');
  });
}
