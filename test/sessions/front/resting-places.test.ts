/** Sessions that rest make room for others; no others do. */
import t from 'tap';
import { Places } from '../../../sessions/front/places.ts';
import { sqlStateOf } from '../../emulator/acra-server/support/sql-state.ts';

function house(maxSessions: number, maxConnectionsPerAddress = 10) {
  const places = new Places({
    maxPending: 10,
    maxSessions,
    maxSessionsPerClient: maxSessions,
    maxConnectionsPerAddress,
  });
  const evicted: string[] = [];
  const come = (name: string, address: string) => {
    const place = places.enter(() => evicted.push(name));
    place.comesFrom(address);
    place.admit(address);
    return place;
  };
  return { places, evicted, come };
}

t.test('evicts the one that has rested longest, of the address of which most rest', async (t) => {
  const { places, evicted, come } = house(4);
  come('alone', '192.0.2.1').rests();
  for (const name of ['a', 'b', 'c']) come(name, '192.0.2.2').rests();
  come('newcomer', '192.0.2.3');
  t.same(evicted, ['a']);
  t.equal(places.sessionCount, 4);
});

t.test('evicts one of the newcomer’s own where it would have as many as anybody', async (t) => {
  const { evicted, come } = house(2);
  come('alone', '192.0.2.1').rests();
  come('own', '192.0.2.2').rests();
  come('newcomer', '192.0.2.2');
  t.same(evicted, ['own']);
});

t.test('evicts none that works, has left, or never rested', async (t) => {
  const { evicted, come } = house(2);
  const works = come('works', '192.0.2.1');
  works.rests();
  works.works();
  const left = come('left', '192.0.2.2');
  left.rests();
  left.leave();
  left.rests();
  come('never', '192.0.2.3');
  t.equal(
    sqlStateOf(() => come('newcomer', '192.0.2.4')),
    '53300',
  );
  t.same(evicted, []);
});

t.test('evicts one of an address that has all it may have, rather than refuse another of it', async (t) => {
  const { evicted, come } = house(4, 2);
  come('rests', '192.0.2.1').rests();
  come('works', '192.0.2.1');
  come('newcomer', '192.0.2.1');
  t.same(evicted, ['rests']);
});
