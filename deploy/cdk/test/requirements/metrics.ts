/** Alarms and charts stand on metrics that host-proxy really serves, and that the agent really hands on. */
import { PUBLISHED_METRICS } from '../../../../host-proxy/operator/admin/metrics.ts';
import { FLEET_METRICS } from '../../parts/fleet-metrics.ts';
import { at, list, ofType, stringsIn } from '../support/look.ts';
import type { Requirement } from './requirement.ts';

const PREFIX = 'acra_enclave_';

export const METRICS: readonly Requirement[] = [
  {
    name: 'hands on only metrics that host-proxy serves, by labels that they have',
    check: (t) => {
      for (const { name, labels } of FLEET_METRICS) {
        const published = PUBLISHED_METRICS[name.replace(PREFIX, '')];
        t.ok(published, name);
        t.same(
          labels.filter((label) => !published?.labels.includes(label)),
          [],
          name,
        );
      }
    },
  },
  {
    name: 'raises alarms on what is handed on, in the same dimensions',
    check: (t, made) => {
      const metrics = ofType(made, 'AWS::CloudWatch::Alarm').flatMap(({ properties }) => [
        ...(properties['Namespace'] === 'AcraEnclave' ? [properties] : []),
        ...list(properties['Metrics']).flatMap((each) => list(at(each, 'MetricStat', 'Metric'))),
      ]);
      t.ok(metrics.length >= 14);
      for (const metric of metrics) {
        const handedOn = FLEET_METRICS.find(({ name }) => name === metric['MetricName']);
        const labels = list(metric['Dimensions']).map(({ Name }) => Name);
        t.ok(handedOn, String(metric['MetricName']));
        t.ok(
          [['fleet'], ['fleet', ...(handedOn?.labels ?? [])]].some((each) => each.join() === labels.join()),
          `${metric['MetricName']} by ${labels.join()}`,
        );
      }
    },
  },
  {
    name: 'has the agent read the loopback port',
    check: (t, made) => {
      for (const { properties } of ofType(made, 'AWS::ImageBuilder::Component'))
        t.match(stringsIn(properties['Data']).join(''), '127.0.0.1:9464');
    },
  },
  {
    name: 'shows a dashboard in each region',
    check: (t, made) => {
      const boards = ofType(made, 'AWS::CloudWatch::Dashboard');
      t.equal(boards.length, made.deployment.regions.length);
      for (const { properties } of boards)
        t.match(stringsIn(properties['DashboardBody']).join(''), 'acra_enclave_ready');
    },
  },
];
