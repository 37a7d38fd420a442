/** Who may stay when places run out. */
import t from 'tap';
import { type Place, Places } from '../../../sessions/front/places.ts';
import { sqlStateOf } from '../../emulator/acra-server/support/sql-state.ts';

function places(limits: Partial<ConstructorParameters<typeof Places>[0]> = {}) {
  const all = new Places({
    maxPending: 3,
    maxSessions: 3,
    maxSessionsPerClient: 2,
    maxConnectionsPerAddress: 3,
    ...limits,
  });
  const evicted: string[] = [];
  const arrive = (name: string) => all.enter(() => evicted.push(name));
  const enter = (name: string, address?: string) => {
    const place = arrive(name);
    place.comesFrom(address);
    return place;
  };
  return { all, evicted, arrive, enter };
}

t.test('evicts the oldest that has said nothing when another comes', async (t) => {
  const { all, evicted, enter } = places();
  enter('a').speaks();
  enter('b');
  enter('c');
  enter('d');
  t.same(evicted, ['b'], 'who speaks stays');
  enter('e');
  t.same(evicted, ['b', 'c']);
  t.same([all.pendingCount, all.evictedCount], [3, 2]);
});

t.test('evicts the one that has spoken first when all have', async (t) => {
  const { evicted, enter } = places();
  const [a, b, c] = [enter('a'), enter('b'), enter('c')];
  for (const place of [b, a, c]) place.speaks();
  enter('d');
  t.same(evicted, ['b']);
});

t.test('evicts one of the address that has most waiting, not the oldest of all', async (t) => {
  const { evicted, enter } = places({ maxPending: 4, maxConnectionsPerAddress: 10 });
  enter('honest', '192.0.2.1');
  for (const name of ['a', 'b', 'c', 'd']) enter(name, '192.0.2.2');
  t.same(evicted, ['a']);
  enter('other', '192.0.2.3').speaks();
  t.same(evicted, ['a', 'b'], 'who comes is not in the way of who waits');
});

t.test('evicts one of the newcomer’s own address where nobody has more than it has then', async (t) => {
  const { evicted, enter } = places({ maxPending: 3 });
  enter('honest', '192.0.2.1');
  enter('a', '192.0.2.2').speaks();
  enter('b', '192.0.2.3').speaks();
  enter('c', '192.0.2.2');
  t.same(evicted, ['a'], 'though the honest one has said nothing yet');
});

t.test('evicts the oldest where each of them is the only one of its address', async (t) => {
  const { evicted, enter } = places({ maxPending: 3 });
  for (const last of [1, 2, 3]) enter(`of ${last}`, `198.51.100.${last}`);
  enter('honest', '192.0.2.1');
  enter('of 4', '198.51.100.4');
  t.same(evicted, ['of 1', 'of 2']);
});

/** Who comes from there and leaves, so that the address is known for it. */
function comeForNothing({ enter }: ReturnType<typeof places>, ...lasts: number[]): void {
  for (const last of lasts) enter('nobody', `198.51.100.${last}`).leave();
}

t.test('evicts those of addresses that came for nothing before all others, the newcomer with them', async (t) => {
  const all = places({ maxPending: 4 });
  const { evicted, enter } = all;
  comeForNothing(all, 1, 2);
  for (const name of ['a', 'b', 'c']) enter(name, '192.0.2.1').speaks();
  enter('of 1', '198.51.100.1').speaks();
  enter('of 2', '198.51.100.2').speaks();
  t.same(evicted, ['of 1'], 'though another has three');
  enter('d', '192.0.2.2');
  t.same(evicted, ['of 1', 'of 2']);
  enter('of 1 again', '198.51.100.1');
  t.same(evicted.slice(2), ['a'], 'where nobody else is such a one, whoever has most');
});

t.test('keeps a client that comes while more addresses than there are places come again and again', async (t) => {
  const { evicted, enter } = places({ maxPending: 3 });
  const lasts = [1, 2, 3, 4, 5];
  for (const last of [...lasts, ...lasts]) enter('flood', `198.51.100.${last}`).speaks();
  const honest = enter('honest', '192.0.2.1');
  for (let round = 0; round < 10; round++) for (const last of lasts) enter('flood', `198.51.100.${last}`).speaks();
  t.notOk(evicted.includes('honest'));
  honest.admit('one');
});

for (const [what, isClean, come] of [
  ['a session', true, (place: Place) => place.admit('one')],
  ['something that takes no certificate', false, (place: Place) => place.serve()],
] as const) {
  t.test(`counts nobody as come for nothing for whom there was ${what}`, async (t) => {
    const all = places({ maxPending: 2 });
    const { evicted, enter } = all;
    const served = enter('served', '192.0.2.1');
    come(served);
    served.leave();
    comeForNothing(all, 1);
    enter('served again', '192.0.2.1').speaks();
    enter('of 1', '198.51.100.1').speaks();
    enter('other', '192.0.2.2');
    t.same(evicted, ['of 1']);
  });
  t.test(`${isClean ? 'forgets' : 'remembers'} at ${what} what was before`, async (t) => {
    const all = places({ maxPending: 3 });
    const { evicted, enter } = all;
    comeForNothing(all, 1);
    enter('waiting', '198.51.100.1').speaks();
    const served = enter('served', '198.51.100.1');
    come(served);
    served.leave();
    for (const name of ['a', 'b']) enter(name, '192.0.2.1').speaks();
    enter('other', '192.0.2.2');
    t.same(evicted, [isClean ? 'a' : 'waiting']);
  });
}

t.test('evicts nobody for a connection whose address is not known yet', async (t) => {
  const { all, evicted, arrive, enter } = places({ maxConnectionsPerAddress: 1 });
  enter('honest', '192.0.2.1').speaks();
  const flood = ['a', 'b', 'c'].map((name) => arrive(name));
  t.same(evicted, []);
  for (const place of flood) place.comesFrom('192.0.2.2');
  t.same(evicted, ['a', 'b'], 'they make room for each other');
  t.equal(all.pendingCount, 2);
});

t.test('evicts the oldest whose address is not known when too many of these wait', async (t) => {
  const { all, evicted, arrive, enter } = places();
  enter('honest').speaks();
  for (let count = 0; count < 1_026; count++) arrive(`${count}`);
  t.same(evicted, ['0', '1']);
  t.equal(all.pendingCount, 1_025);
});

t.test('evicts no session, however many others come', async (t) => {
  const { all, evicted, enter } = places();
  enter('session').admit('one');
  for (let count = 0; count < 20; count++) enter('silent');
  t.equal(evicted.length, 17);
  t.notOk(evicted.includes('session'));
  t.same([all.sessionCount, all.pendingCount], [1, 3]);
});

t.test('refuses more sessions of one client (53300), and the other clients notice nothing', async (t) => {
  const { all, enter } = places();
  const first = enter('a');
  first.admit('one');
  enter('b').admit('one');
  const refused = enter('c');
  t.equal(
    sqlStateOf(() => refused.admit('one')),
    '53300',
  );
  enter('d').admit('two');
  t.equal(all.sessionCount, 3);
  refused.leave();
  t.equal(all.sessionCount, 3, 'the place of one that got none is not given back');
  first.leave();
  enter('e').admit('one');
  t.equal(all.sessionCount, 3);
});

t.test('refuses sessions beyond all places (53300)', async (t) => {
  const { enter } = places();
  for (const client of ['one', 'two', 'three']) enter(client).admit(client);
  t.throws(() => enter('four').admit('four'), { sqlState: '53300', message: /at most 3/ });
});

t.test('gives a place back once, however often it is left', async (t) => {
  const { all, enter } = places();
  const [a, b] = [enter('a'), enter('b')];
  a.admit('one');
  b.admit('one');
  for (let count = 0; count < 3; count++) a.leave();
  t.equal(all.sessionCount, 1);
  b.leave();
  enter('c').leave();
  t.same([all.sessionCount, all.pendingCount], [0, 0]);
});

t.test('takes no session of a connection that has gone already (08006)', async (t) => {
  const { all, enter } = places();
  const gone = enter('a');
  gone.leave();
  t.equal(
    sqlStateOf(() => gone.admit('one')),
    '08006',
  );
  t.equal(all.sessionCount, 0);
});
