/** Limits by address at the front: the parent says whose connection it is, and one address takes only so much. */
import { once } from 'node:events';
import t from 'tap';
import { SSL_REQUEST } from '../../../postgres/start-up.ts';
import { Failures } from '../../../sessions/front/failures.ts';
import { Places } from '../../../sessions/front/places.ts';
import { encodeProxyHeader } from '../../../wire/proxy-protocol.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { Arrivals, lastWords } from './support/arrivals.ts';

const HERE = '198.51.100.7';
const ELSEWHERE = '198.51.100.8';

t.test('takes the header off however it comes, and serves whoever stands behind it', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start();
  await arrivals.logIn(HERE);
  await arrivals.logIn(undefined);
  await arrivals.untilSessions(2);
  const slow = await arrivals.dialBare();
  for (const byte of Buffer.concat([encodeProxyHeader({ address: HERE, port: 1 }), SSL_REQUEST])) {
    slow.write(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.same(await once(slow, 'data'), [Buffer.from('S')]);
});

for (const [what, bytes] of [
  ['nothing of the kind', SSL_REQUEST],
  ['a header of version 1', Buffer.from('PROXY TCP4 198.51.100.7 192.0.2.1 40000 5432\r\n')],
] as const) {
  t.test(`refuses ${what} in the place of the header (08P01)`, async (t) => {
    const arrivals = new Arrivals(t);
    await arrivals.start();
    const socket = await arrivals.dialBare();
    socket.write(bytes);
    t.match(await lastWords(socket), /08P01.*host-proxy did not say whose connection this is/s);
    t.match((await arrivals.nextCounts()).refused, { protocol: 1 });
  });
}

t.test('gives the header and the first byte one time', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start();
  const socket = await arrivals.dialBare();
  socket.write(encodeProxyHeader({ address: HERE, port: 1 }).subarray(0, 20));
  await arrivals.clock.untilSleeping();
  arrivals.clock.advance(5_000);
  t.match(await lastWords(socket), /08006.*the first byte took too long/s);
});

t.test('lets one address have so many sessions (53300), and others theirs', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start({ limits: { maxConnectionsPerAddress: 2 } });
  const first = await arrivals.logIn(HERE);
  await arrivals.logIn(HERE);
  await arrivals.untilSessions(2);
  t.match(await lastWords(await arrivals.dial(HERE)), /53300.*too many connections from this address: at most 2/s);
  await arrivals.logIn(ELSEWHERE);
  await arrivals.untilSessions(3);
  t.match(await arrivals.nextCounts(), { open: 3, pending: 0, refused: { address: 1, failures: 0 } });
  first.destroy();
  await once(arrivals.sessions[0] ?? first, 'close');
  await arrivals.logIn(HERE);
  await arrivals.untilSessions(4);
});

t.test('lets the oldest of an address that is no session yet go for its next, and nobody else’s', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start({ limits: { maxConnectionsPerAddress: 2 } });
  const other = await arrivals.dial('2001:db8:0:1::1', SSL_REQUEST);
  await once(other, 'data');
  await arrivals.logIn('2001:db8::1');
  await arrivals.untilSessions(1);
  const silent = await arrivals.dial('2001:db8::2', SSL_REQUEST);
  await once(silent, 'data');
  const next = await arrivals.dial('2001:db8::3', SSL_REQUEST);
  t.equal(await lastWords(silent), '');
  t.same(await once(next, 'data'), [Buffer.from('S')]);
  t.match(await arrivals.nextCounts(), { open: 1, pending: 2, evicted: 1, refused: { gone: 0 } });
  t.notOk(other.destroyed);
});

t.test('hears nobody of an address that has failed too often, until the second is over', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start({ limits: { maxFailuresPerSecond: 3 } });
  const noise = Buffer.from('GET / HTTP/1.1\r\n\r\n');
  for (let count = 0; count < 3; count++) t.match(await lastWords(await arrivals.dial(HERE, noise)), /08P01/);
  for (let count = 0; count < 5; count++) t.equal(await lastWords(await arrivals.dial(HERE, SSL_REQUEST)), '');
  await arrivals.logIn(ELSEWHERE);
  await arrivals.untilSessions(1);
  t.match(
    arrivals.logger.records.filter(({ event }) => event === 'front.unheard'),
    [{ level: 'warn', fields: { address: HERE, maxFailuresPerSecond: 3 } }],
    'told once',
  );
  t.match((await arrivals.nextCounts()).refused, { protocol: 3, failures: 5 });
  await arrivals.logIn(HERE);
  await arrivals.untilSessions(2);
});

t.test('counts nobody as failed whose place was taken, or whose parent knows no address', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start({ limits: { maxFailuresPerSecond: 1, maxPending: 1 } });
  for (let count = 0; count < 3; count++) await arrivals.dial(HERE, SSL_REQUEST.subarray(0, 4));
  for (let count = 0; count < 3; count++) {
    t.match(await lastWords(await arrivals.dial(undefined, Buffer.from('no start at all'))), /08P01/);
  }
  await arrivals.logIn(HERE);
  await arrivals.untilSessions(1);
});

t.test('tells its counts once a second at most, and nothing when nothing has changed', async (t) => {
  const arrivals = new Arrivals(t);
  await arrivals.start();
  for (let count = 0; count < 5; count++) await lastWords(await arrivals.dial(HERE, Buffer.from('no start at all')));
  t.same(arrivals.counts, []);
  t.match(await arrivals.nextCounts(), { open: 0, refused: { protocol: 5 } });
  arrivals.clock.advance(10_000);
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(arrivals.counts.length, 1);
});

t.test('holds failures of a bounded number of addresses, and forgets them with the second', async (t) => {
  const clock = new FakeClock();
  const failures = new Failures(clock, 1);
  for (let index = 0; index < 20_000; index++) failures.note(`address ${index}`);
  t.ok(failures.isOver('address 9999'));
  t.notOk(failures.isOver('address 10000'), 'was not counted');
  clock.advance(1_000);
  t.notOk(failures.isOver('address 9999'));
  t.ok(failures.note('address 10000'));
});

t.test('gives back what an address holds, whichever way it goes', async (t) => {
  const places = new Places({ maxPending: 10, maxSessions: 10, maxSessionsPerClient: 10, maxConnectionsPerAddress: 1 });
  for (const leave of ['leave', 'evicted', 'session'] as const) {
    const place = places.enter(() => undefined);
    place.comesFrom(HERE);
    if (leave === 'session') place.admit('one');
    if (leave !== 'evicted') place.leave();
    if (leave === 'evicted') places.enter(() => undefined).comesFrom(HERE);
    t.equal(place.isEvicted, leave === 'evicted');
    if (leave === 'evicted') t.throws(() => place.comesFrom(HERE), /went away/);
  }
  t.equal(places.sessionCount, 0);
});
