/** Alerts as a gauge, for those who count from the second number of a series on. */
import t from 'tap';
import { alertSamples } from '../../../../host-proxy/operator/admin/host-metrics.ts';
import { FULL } from '../support/statuses.ts';

t.test('tells each alert that holds once, by how many series, and none that does not', async (t) => {
  const [first] = FULL.alarms;
  if (first === undefined) throw new Error('FULL has alarms');
  const { alert, severity } = first;
  t.same(alertSamples([first, { ...first, labels: { other: 'series' } }]), [
    { name: 'alerts_active', labels: { alert, severity }, value: 2 },
  ]);
  t.same(alertSamples([]), []);
});
