/** How many requests to cancel reach the database, whoever sends how many. */
import { createServer } from 'node:net';
import t from 'tap';
import { listenOnLoopback } from '../../../emulator/loopback-http.ts';
import { Cancels } from '../../../sessions/front/cancels.ts';
import { until } from '../../relay/support/relay.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';

const BURST = 16;
const A_SECOND = 20;

t.test('passes a burst on, then so many a second, and drops the rest', async (t) => {
  let dialled = 0;
  const server = createServer((socket) => {
    dialled += 1;
    socket.destroy();
  });
  t.teardown(() => server.close());
  const { port } = await listenOnLoopback(server, 0);
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  const database = {
    address: { kind: 'tcp', host: '127.0.0.1', port },
    serverName: 'database',
    caPem: '',
    minTls: 'TLSv1.3',
  } as const;
  const cancels = new Cancels({ database, clock, logger });
  const told = (event: string) => logger.records.filter((record) => record.event === event).length;
  const flood = () => {
    for (let count = 0; count < 300; count += 1) cancels.pass(Buffer.alloc(16));
  };
  flood();
  await until(() => told('front.cancel-failed') === BURST);
  t.equal(told('front.cancel-dropped'), 300 - BURST);
  flood();
  t.equal(told('front.cancel-dropped'), 600 - BURST, 'no time has passed');
  for (let tenths = 0; tenths < 10; tenths += 1) {
    clock.advance(100);
    flood();
    await until(() => told('front.cancel-failed') === BURST + 2 * (tenths + 1));
  }
  t.equal(dialled, BURST + A_SECOND);
});
