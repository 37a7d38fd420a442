/**
 * Must hold 7, at a tenth of its size: idle connections cost next to nothing. The whole 10,000 are measured by
 * bench/relay/idle-connections.ts.
 */
import t from 'tap';
import { measureIdle } from '../../bench/relay/idle-measurement.ts';

const CONNECTIONS = 1000;
const MAX_RSS_BYTES = 100e6;
/** Beyond the first thousand, in which the engine warms up. A buffer for each connection would show. */
const MAX_BYTES_EACH = 5000;

t.test(`must hold 7: ${CONNECTIONS} idle connections keep the process under 100 MB`, async (t) => {
  const { rssBytes, rssBeforeBytes } = await measureIdle(CONNECTIONS, 0);
  const each = (rssBytes - rssBeforeBytes) / CONNECTIONS;
  t.ok(rssBytes < MAX_RSS_BYTES, `${(rssBytes / 1e6).toFixed(1)} MB`);
  t.ok(each < MAX_BYTES_EACH, `${each.toFixed(0)} bytes a connection`);
});
