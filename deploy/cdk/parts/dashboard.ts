/** One page of CloudWatch that shows a fleet at a glance. */
import { Stack } from 'aws-cdk-lib';
import { CfnDashboard } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { Balancer } from './balancer.ts';
import { FLEET_DIMENSION, METRIC_NAMESPACE, type Names } from './names.ts';

const WIDTH = 8;
const HEIGHT = 6;
const COLUMNS = 3;
const PERIOD_SECONDS = 60;

interface Chart {
  readonly title: string;
  readonly statistic: 'Sum' | 'Maximum' | 'Minimum' | 'Average';
  readonly series: readonly (readonly string[])[];
}

function chartsOf(fleet: string, { loadBalancer, targetGroup }: Balancer): readonly Chart[] {
  const of = (metric: string, ...labels: string[]) => [
    METRIC_NAMESPACE,
    `acra_enclave_${metric}`,
    FLEET_DIMENSION,
    fleet,
    ...labels,
  ];
  const targets = [
    'LoadBalancer',
    loadBalancer.attrLoadBalancerFullName,
    'TargetGroup',
    targetGroup.attrTargetGroupFullName,
  ];
  const each = (metric: string, label: string, values: readonly string[]) =>
    values.map((value) => of(metric, label, value));
  return [
    {
      title: 'Instances that the balancer sends to',
      statistic: 'Minimum',
      series: ['HealthyHostCount', 'UnHealthyHostCount'].map((name) => ['AWS/NetworkELB', name, ...targets]),
    },
    { title: 'Ready, the least of all instances', statistic: 'Minimum', series: [of('ready')] },
    {
      title: 'Alerts of the status pages that hold',
      statistic: 'Maximum',
      series: each('alerts_active', 'severity', ['page', 'ticket']),
    },
    {
      title: 'Alarms of acra-server',
      statistic: 'Sum',
      series: each('alarms_total', 'concern', ['poison', 'plaintext', 'unread', 'undetected', 'unexamined']),
    },
    { title: 'Sessions', statistic: 'Sum', series: [of('front_sessions')] },
    {
      title: 'Statements by verdict',
      statistic: 'Sum',
      series: each('guard_statements_total', 'verdict', ['untouched', 'protected', 'refused', 'reported']),
    },
    {
      title: 'Connections refused at the front',
      statistic: 'Sum',
      series: each('front_refused_total', 'reason', ['address', 'certificate', 'client', 'failures', 'revoked']),
    },
    { title: 'Bytes relayed', statistic: 'Sum', series: each('relay_bytes_total', 'route', ['ingress', 'database']) },
    { title: 'Age of the lease, in seconds', statistic: 'Maximum', series: [of('lease_age_seconds')] },
    {
      title: 'Memory',
      statistic: 'Minimum',
      series: [of('machine_available_memory_bytes'), of('host_proxy_resident_memory_bytes')],
    },
  ];
}

export function createDashboard(scope: Construct, { fleet, dashboard }: Names, balancer: Balancer): void {
  const { region } = Stack.of(scope);
  const widgets = chartsOf(fleet, balancer).map(({ title, statistic, series }, index) => ({
    type: 'metric',
    x: (index % COLUMNS) * WIDTH,
    y: Math.floor(index / COLUMNS) * HEIGHT,
    width: WIDTH,
    height: HEIGHT,
    properties: { title, region, stat: statistic, period: PERIOD_SECONDS, view: 'timeSeries', metrics: series },
  }));
  new CfnDashboard(scope, 'Dashboard', {
    dashboardName: dashboard,
    dashboardBody: Stack.of(scope).toJsonString({ widgets }),
  });
}
