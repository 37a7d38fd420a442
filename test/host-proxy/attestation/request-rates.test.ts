import t from 'tap';
import { MAX_ADDRESSES, RequestRates } from '../../../host-proxy/attestation/request-rates.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function ratesOf(maxPerSecond: number, maxPerSecondPerAddress: number) {
  const clock = new FakeClock();
  const rates = new RequestRates({ maxPerSecond, maxPerSecondPerAddress }, clock);
  const taken = (address: string) => {
    let count = 0;
    while (rates.take(address)) count += 1;
    return count;
  };
  return { clock, rates, taken };
}

t.test('lets one address ask so often, and others as often', async (t) => {
  const { clock, taken } = ratesOf(1_000, 5);
  for (const address of ['192.0.2.1', '192.0.2.2', '2001:db8::1']) t.equal(taken(address), 10, address);
  clock.advance(1_000);
  t.equal(taken('192.0.2.1'), 5);
});

t.test('counts a /64 of IPv6, and IPv4 in its clothes, as one', async (t) => {
  const { taken } = ratesOf(1_000, 5);
  t.equal(taken('2001:db8::1'), 10);
  t.equal(taken('2001:db8::ffff:1'), 0);
  t.equal(taken('2001:db8:0:1::1'), 10);
  t.equal(taken('192.0.2.1'), 10);
  t.equal(taken('::ffff:192.0.2.1'), 0);
});

t.test(
  'lets all together ask no more than that, and one that is over its own rate take nothing of the others’',
  async (t) => {
    const { clock, rates, taken } = ratesOf(10, 5);
    t.equal(taken('192.0.2.1'), 10);
    for (let index = 0; index < 1_000; index += 1) rates.take('192.0.2.1');
    t.equal(taken('192.0.2.2'), 10);
    t.equal(taken('192.0.2.3'), 0, 'all have asked 20');
    clock.advance(1_000);
    t.equal(taken('192.0.2.4'), 10);
  },
);

t.test(
  'keeps no more addresses than it has room for: those that come later have one rate in common, until others are idle',
  async (t) => {
    const { clock, rates, taken } = ratesOf(1_000_000, 5);
    const address = (index: number) => `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
    for (let index = 0; index < MAX_ADDRESSES; index += 1) rates.take(address(index));
    t.equal(taken('192.0.2.1') + taken('192.0.2.2'), 10);
    clock.advance(2_000);
    t.equal(taken('192.0.2.3'), 10);
    t.equal(taken('192.0.2.4'), 10);
  },
);
