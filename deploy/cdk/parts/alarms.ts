/** Alarms of a fleet: those of the status page, on the metrics that CloudWatch gets, and the load balancer's own. */
import { CfnAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { Balancer } from './balancer.ts';
import { FLEET_DIMENSION, METRIC_NAMESPACE } from './names.ts';

const MINUTE = 60;

interface FleetAlarm {
  readonly id: string;
  readonly what: string;
  /** Without the prefix that all have. */
  readonly metric: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly statistic: 'Sum' | 'Maximum' | 'Minimum';
  readonly comparison: 'GreaterThanThreshold' | 'LessThanThreshold';
  readonly threshold: number;
  /** Of one period, and how many of them in a row decide. */
  readonly minutes: number;
  readonly periods: number;
  /** breaching: silence is a fault too. */
  readonly missing: 'breaching' | 'notBreaching';
}

/** The daemon itself sees that an alert holds (host-proxy/operator/alarms), with the times and limits that Prometheus' rules have. */
const told = (id: string, what: string, labels: Readonly<Record<string, string>>): FleetAlarm => ({
  id,
  what,
  metric: 'alerts_active',
  labels,
  statistic: 'Maximum',
  comparison: 'GreaterThanThreshold',
  threshold: 0,
  minutes: 1,
  periods: 1,
  missing: 'notBreaching',
});
const alert = (id: string, what: string) => told(id, what, { alert: `AcraEnclave${id}` });

/** For five minutes: an instance that boots wakes nobody. The agent tells each value once a minute. */
const LASTING = { minutes: 1, periods: 5 };

/** It was above that for five minutes on one instance at least. */
const above = (id: string, what: string, metric: string, threshold: number): FleetAlarm => ({
  ...told(id, what, {}),
  metric,
  threshold,
  ...LASTING,
});

const LEASE_SECONDS = 3_600;

const FLEET_ALARMS: readonly FleetAlarm[] = [
  {
    ...above('NotReady', 'an instance does not serve, or tells nothing', 'ready', 1),
    statistic: 'Minimum',
    comparison: 'LessThanThreshold',
    missing: 'breaching',
  },
  above('LeaseEnds', 'KMS has not granted the master key for an hour', 'lease_age_seconds', LEASE_SECONDS),
  alert('PoisonRecord', 'a poison record: somebody copies the database'),
  alert('Plaintext', 'values that should be encrypted went as they came, or a statement could not be read'),
  alert('Undetected', 'rows without the search for poison records'),
  alert('KeysRefused', 'a key set was brought that the enclave does not take'),
  alert('KeysNotTaken', 'the enclave does not work with the newest key set'),
  alert('KeysAuditBroken', 'the audit log of key operations is no whole chain'),
  alert('GuardReports', 'statements that cannot be protected go as they are'),
  alert('RevokedCertificate', 'somebody uses a certificate that was called back'),
  alert('LogsDropped', 'log records of the enclave were lost'),
  alert('LogsUnwritten', 'lines of the log could not be written'),
  told('Pages', 'the status page of an instance shows what somebody must look at now', { severity: 'page' }),
  told('Tickets', 'the status page of an instance shows what somebody must look at', { severity: 'ticket' }),
];

const dimensionsOf = (labels: Readonly<Record<string, string>>) =>
  Object.entries(labels).map(([name, value]) => ({ name, value }));

function common(topic: ITopic, fleet: string, id: string, what: string) {
  const actions = [topic.topicArn];
  return { alarmName: `${fleet}-${id}`, alarmDescription: what, alarmActions: actions, okActions: actions };
}

function createFleetAlarm(scope: Construct, topic: ITopic, fleet: string, alarm: FleetAlarm): void {
  new CfnAlarm(scope, `Alarm${alarm.id}`, {
    ...common(topic, fleet, alarm.id, alarm.what),
    namespace: METRIC_NAMESPACE,
    metricName: `acra_enclave_${alarm.metric}`,
    dimensions: dimensionsOf({ [FLEET_DIMENSION]: fleet, ...alarm.labels }),
    statistic: alarm.statistic,
    comparisonOperator: alarm.comparison,
    threshold: alarm.threshold,
    period: alarm.minutes * MINUTE,
    evaluationPeriods: alarm.periods,
    treatMissingData: alarm.missing,
  });
}

const CERTIFICATE_DAYS = 30;
const DAY_SECONDS = 86_400;

/** Of a time in the future, how many days are left: the metric is a time, and each point knows its own. */
function createCertificateAlarm(scope: Construct, topic: ITopic, fleet: string): void {
  const metric = {
    namespace: METRIC_NAMESPACE,
    metricName: 'acra_enclave_certificate_expiry_timestamp_seconds',
    dimensions: dimensionsOf({ [FLEET_DIMENSION]: fleet }),
  };
  new CfnAlarm(scope, 'AlarmCertificateEnds', {
    ...common(topic, fleet, 'CertificateEnds', `a certificate ends within ${CERTIFICATE_DAYS} days`),
    metrics: [
      { id: 'ends', metricStat: { metric, period: DAY_SECONDS, stat: 'Minimum' }, returnData: false },
      { id: 'days', expression: `(ends - EPOCH(ends)) / ${DAY_SECONDS}`, returnData: true },
    ],
    comparisonOperator: 'LessThanThreshold',
    threshold: CERTIFICATE_DAYS,
    evaluationPeriods: 1,
    treatMissingData: 'notBreaching',
  });
}

/** What the balancer itself sees, whatever the instances say of themselves. */
function createBalancerAlarms(scope: Construct, topic: ITopic, fleet: string, balancer: Balancer, least: number): void {
  const dimensions = dimensionsOf({
    LoadBalancer: balancer.loadBalancer.attrLoadBalancerFullName,
    TargetGroup: balancer.targetGroup.attrTargetGroupFullName,
  });
  const shared = { namespace: 'AWS/NetworkELB', dimensions, period: MINUTE, evaluationPeriods: 5 };
  new CfnAlarm(scope, 'AlarmUnhealthy', {
    ...common(topic, fleet, 'Unhealthy', 'the balancer sends nothing to an instance'),
    ...shared,
    metricName: 'UnHealthyHostCount',
    statistic: 'Maximum',
    comparisonOperator: 'GreaterThanThreshold',
    threshold: 0,
    treatMissingData: 'notBreaching',
  });
  new CfnAlarm(scope, 'AlarmTooFew', {
    ...common(topic, fleet, 'TooFew', 'fewer instances serve than there must be'),
    ...shared,
    metricName: 'HealthyHostCount',
    statistic: 'Minimum',
    comparisonOperator: 'LessThanThreshold',
    threshold: least,
    treatMissingData: 'breaching',
  });
}

export function createAlarms(scope: Construct, topic: ITopic, fleet: string, balancer: Balancer, least: number): void {
  for (const alarm of FLEET_ALARMS) createFleetAlarm(scope, topic, fleet, alarm);
  createCertificateAlarm(scope, topic, fleet);
  createBalancerAlarms(scope, topic, fleet, balancer, least);
}
