/** The first of several judged addresses that takes the connection (RFC 8305, section 5). */
import { once } from 'node:events';
import { createServer } from 'node:net';
import t from 'tap';
import { dialFirst } from '../../../host-proxy/egress/dial.ts';
import { EgressError } from '../../../wire/egress/errors.ts';
import { listenAnywhere } from '../../supervisor/egress/support/targets.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const { signal } = new AbortController();
const v4 = (address: string) => ({ family: 4 as const, address });

t.test('takes the next address as soon as one refuses', async (t) => {
  const port = await listenAnywhere(t, () => undefined, '127.0.0.3');
  const clock = new FakeClock();
  const { socket, address } = await dialFirst([v4('127.0.0.2'), v4('127.0.0.3')], port, clock, signal);
  t.equal(address, '127.0.0.3');
  t.equal(socket.remoteAddress, '127.0.0.3');
  t.equal(clock.sleeping, 0, 'no timer is left');
  socket.destroy();
});

t.test('takes the first address where all would do', async (t) => {
  const port = await listenAnywhere(t, () => undefined, '127.0.0.1');
  const { address, socket } = await dialFirst([v4('127.0.0.1'), v4('127.0.0.2')], port, new FakeClock(), signal);
  t.equal(address, '127.0.0.1');
  socket.destroy();
});

t.test('tells every address that refused', async (t) => {
  const server = createServer();
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  const error = await rejectsCode(
    () => dialFirst([v4('127.0.0.1'), v4('127.0.0.2')], port, new FakeClock(), signal),
    EgressError,
    'EGRESS_UNREACHABLE',
  );
  t.match(error.message, /127\.0\.0\.1 \(ECONNREFUSED\), 127\.0\.0\.2 \(ECONNREFUSED\)/);
});

t.test('stops when it is told to', async (t) => {
  const stopping = new AbortController();
  stopping.abort(new TypeError('stop'));
  await t.rejects(dialFirst([v4('127.0.0.1')], 1, new FakeClock(), stopping.signal), { message: 'stop' });
});
