/** Records that say nothing: a client that changes its keys without end is gone, one that works with tiny messages is not. */
import { once } from 'node:events';
import t from 'tap';
import { SSL_REQUEST } from '../../../postgres/start-up.ts';
import { encodeStartupMessage } from '../../../postgres/startup-message.ts';
import { EmptyRecords } from '../../../sessions/front/empty-records.ts';
import { OwnRecords } from '../../abuse/support/own-records.ts';
import { closed } from '../../support/closed.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { Arrivals } from './support/arrivals.ts';

const HERE = '198.51.100.7';
const STARTUP = encodeStartupMessage({ minor: 0, parameters: new Map([['user', 'app']]) });
const turn = () => new Promise((resolve) => setImmediate(resolve));

async function handshake(arrivals: Arrivals): Promise<OwnRecords> {
  const socket = await arrivals.dial(HERE, SSL_REQUEST);
  await once(socket, 'data');
  const { pem: cert, keyPem: key } = arrivals.client;
  return OwnRecords.over(socket, { ca: arrivals.authority.pem, cert, key, servername: 'records.test' });
}

/** Until it is gone; time passes slowly, so that what it has sent is there before a stage is over. */
async function untilGone(arrivals: Arrivals, { socket }: OwnRecords): Promise<void> {
  const gone = closed(socket);
  while (!socket.closed) {
    arrivals.clock.advance(1);
    await turn();
  }
  await gone;
}

t.test(
  'ends a client that changes its keys without a word (08P01), and hears nobody of its address meanwhile',
  async (t) => {
    const arrivals = new Arrivals(t);
    await arrivals.start();
    const client = await handshake(arrivals);
    client.askForKeys(2_000);
    await untilGone(arrivals, client);
    t.match(
      arrivals.logger.records.filter(({ event }) => event.startsWith('front.')),
      [
        { event: 'front.refused', fields: { reason: 'too many TLS records that say nothing', address: HERE } },
        { event: 'front.unheard', fields: { address: HERE } },
      ],
    );
  },
);

t.test('ends a session for it too, though it has said something', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start();
  const client = await handshake(arrivals);
  client.say(STARTUP);
  await arrivals.untilSessions(1);
  client.askForKeys(2_000);
  await untilGone(arrivals, client);
  await closed(arrivals.sessions[0] ?? client.socket);
  t.match((await arrivals.nextCounts()).open, 0);
});

function scene() {
  const clock = new FakeClock();
  const records = new EmptyRecords(clock);
  let ended = 0;
  const come = () => {
    const [wire, said] = [{ bytesRead: 5_000 }, { bytesRead: 0 }];
    const stop = records.watch(wire, said, () => {
      ended += 1;
    });
    return { wire, said, stop };
  };
  /** @returns how many have been ended */
  const look = async () => {
    clock.advance(200);
    await turn();
    return ended;
  };
  return { clock, come, look };
}

t.test('takes a handshake with large certificates, and any number of records that say a byte', async (t) => {
  const { come, look } = scene();
  const { wire, said } = come();
  wire.bytesRead += 27 * 1024;
  t.equal(await look(), 0);
  said.bytesRead += 1_000_000;
  wire.bytesRead += 57_000_000;
  t.equal(await look(), 0);
  wire.bytesRead += 8_000_000;
  t.equal(await look(), 1);
  t.equal(await look(), 1, 'once');
});

t.test('looks at whoever is there, for as long as there is somebody, and at those who come later', async (t) => {
  const { clock, come, look } = scene();
  t.equal(clock.sleeping, 0);
  const [gone, greedy] = [come(), come()];
  gone.stop();
  gone.wire.bytesRead += 100_000;
  greedy.wire.bytesRead += 100_000;
  t.equal(await look(), 1, 'who has gone is nobody’s matter');
  t.equal(clock.sleeping, 0, 'nobody is left');
  const later = come();
  greedy.stop();
  t.equal(clock.sleeping, 1, 'one look at a time');
  later.wire.bytesRead += 100_000;
  t.equal(await look(), 2);
  later.stop();
  t.equal(clock.sleeping, 0);
});
