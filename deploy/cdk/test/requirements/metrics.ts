/** Alarms and charts stand on metrics that host-proxy really serves, and that the agent really hands on. */
import { PUBLISHED_METRICS } from '../../../../host-proxy/operator/admin/metrics.ts';
import { SEVERITIES } from '../../../../host-proxy/operator/alarms/watch.ts';
import { WATCHES } from '../../../../host-proxy/operator/alarms/watches.ts';
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
        const handedOn = FLEET_METRICS.filter(({ name }) => name === metric['MetricName']);
        const labels = list(metric['Dimensions']).map(({ Name }) => Name);
        t.ok(
          handedOn.some((each) => [['fleet'], ['fleet', ...each.labels]].some((told) => told.join() === labels.join())),
          `${metric['MetricName']} by ${labels.join()}`,
        );
      }
    },
  },
  {
    name: 'stands no alarm on a counter, whose first number the agent leaves out, and names only alerts that there are',
    check: (t, made) => {
      const ofFleet = ofType(made, 'AWS::CloudWatch::Alarm').filter(
        ({ properties }) => properties['Namespace'] === 'AcraEnclave',
      );
      t.ok(ofFleet.length >= 14);
      for (const { properties } of ofFleet) {
        const metric = String(properties['MetricName']).replace(PREFIX, '');
        t.equal(PUBLISHED_METRICS[metric]?.kind, 'gauge', metric);
        for (const { Name, Value } of list(properties['Dimensions']))
          if (Name === 'alert')
            t.ok(
              WATCHES.some(({ alert }) => alert === Value),
              String(Value),
            );
      }
      for (const severity of SEVERITIES)
        t.ok(
          ofFleet.some(({ properties }) => stringsIn(properties['Dimensions']).includes(severity)),
          `all that is ${severity}`,
        );
    },
  },
  {
    name: 'lets an instance boot for five minutes before it wakes somebody',
    check: (t, made) => {
      const ready = ofType(made, 'AWS::CloudWatch::Alarm').filter(
        ({ properties }) => properties['MetricName'] === `${PREFIX}ready`,
      );
      t.equal(ready.length, made.deployment.regions.length);
      for (const { properties } of ready)
        t.match(properties, { Period: 60, EvaluationPeriods: 5, Statistic: 'Minimum' });
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
    name: 'shows a dashboard for each region, under a name of its own, for dashboards are of the whole account',
    check: (t, made) => {
      const boards = ofType(made, 'AWS::CloudWatch::Dashboard');
      const names = new Set(boards.map(({ properties }) => properties['DashboardName']));
      t.equal(names.size, made.deployment.regions.length);
      for (const { properties } of boards)
        t.match(stringsIn(properties['DashboardBody']).join(''), 'acra_enclave_ready');
    },
  },
];
