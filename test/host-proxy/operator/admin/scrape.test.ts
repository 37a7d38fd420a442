import t from 'tap';
import { createMetrics } from '../../../../host-proxy/operator/admin/metrics.ts';
import { QUIET } from '../support/statuses.ts';

t.test('asks for the status once a scrape, and anew for the next', async (t) => {
  let asked = 0;
  const status = () => {
    asked += 1;
    return QUIET;
  };
  const none = { alarms: () => [], relayCounters: () => ({}), enclaveSamples: () => [], unwrittenLines: () => 0 };
  const registry = createMetrics({ ...none, status });
  await registry.metrics();
  t.equal(asked, 1);
  await registry.metrics();
  t.equal(asked, 2);
});
