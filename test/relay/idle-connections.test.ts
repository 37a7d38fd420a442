/**
 * Must hold 7, at a tenth of its size: idle connections cost next to nothing. The whole 10,000 are measured by `make bench`
 * (docs/performance.md).
 */
import t from 'tap';
import { measureIdle } from '../../bench/relay/idle.ts';
import { OURS, RELAYS } from '../../bench/relay/relays/kinds.ts';

/** Beyond the first thousand, in which the engine warms up. A buffer for each connection would show. */
const COUNTS = [1000, 2000];
const MAX_RESIDENT_BYTES = 100e6;
const MAX_BYTES_EACH = 5000;

t.test('must hold 7: 2,000 idle connections keep the process under 100 MB', async (t) => {
  const ours = RELAYS.find(({ name }) => name === OURS);
  if (!ours) throw new Error('no relay of ours');
  // Once before, so that its code is compiled.
  await measureIdle(ours, 'tcp', [1], 0);
  const [first, second] = await measureIdle(ours, 'tcp', COUNTS, 0);
  const each = ((second?.residentBytes ?? Number.NaN) - (first?.residentBytes ?? 0)) / 1000;
  t.ok((second?.residentBytes ?? Number.NaN) < MAX_RESIDENT_BYTES, `${second?.residentBytes} bytes`);
  t.ok(each < MAX_BYTES_EACH, `${each.toFixed(0)} bytes a connection`);
});
