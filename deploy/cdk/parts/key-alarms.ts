/**
 * Alarms on what CloudTrail tells of the master key: whoever changes who may decrypt, and whoever tries to decrypt without an enclave.
 * KMS names the document of an enclave in `additionalEventData.recipient` (Nitro Enclaves user guide, "Logging API calls with CloudTrail").
 */
import { CfnAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnMetricFilter, type ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { KnownDeployment } from '../config/read.ts';

const PERIOD_SECONDS = 300;

interface Watched {
  readonly id: string;
  readonly what: string;
  readonly pattern: string;
}

const anyOf = (field: string, values: readonly string[]) =>
  `(${values.map((value) => `($.${field} = "${value}")`).join(' || ')})`;
const OF_KMS = '($.eventSource = "kms.amazonaws.com")';

/** A multi-Region key has the same ID in every region. */
function watchedOf({ key, regions, account, name }: KnownDeployment): readonly Watched[] {
  const keyId = key.arn?.split('/')[1];
  // Before the key is known every key of the account is watched.
  const ofKey = keyId === undefined ? '' : ` && ($.resources[0].ARN = "*${keyId}")`;
  const parents = regions.map(({ region }) => `*:assumed-role/${name}-parent-${region}/*`);
  const byParent = anyOf('userIdentity.arn', parents);
  const ruling = ['PutKeyPolicy', 'ReplicateKey', 'UpdatePrimaryRegion', 'CreateGrant', 'ImportKeyMaterial'];
  const ending = ['ScheduleKeyDeletion', 'DisableKey', 'DeleteImportedKeyMaterial'];
  const revealing = ['Decrypt', 'GenerateDataKey', 'GenerateDataKeyPair', 'DeriveSharedSecret'];
  return [
    {
      id: 'KeyRuled',
      what: `somebody changed who may decrypt (${account})`,
      pattern: `{ ${OF_KMS} && ${anyOf('eventName', ruling)}${ofKey} }`,
    },
    {
      id: 'KeyEnds',
      what: 'somebody disabled the master key, or schedules its end',
      pattern: `{ ${OF_KMS} && ${anyOf('eventName', ending)}${ofKey} }`,
    },
    {
      id: 'DecryptDenied',
      what: 'KMS refused the role of the parents: another image, or the parent itself',
      pattern: `{ ${OF_KMS} && ${anyOf('eventName', revealing)} && ${byParent} && ($.errorCode = "*AccessDenied*") }`,
    },
    {
      id: 'DecryptUnattested',
      what: 'the role of the parents asked KMS for a secret without an enclave',
      pattern: `{ ${OF_KMS} && ${anyOf('eventName', revealing)} && ${byParent} && ($.additionalEventData.recipient.attestationDocumentModuleId NOT EXISTS) }`,
    },
  ];
}

export function createKeyAlarms(scope: Construct, topic: ITopic, logs: ILogGroup, deployment: KnownDeployment): void {
  const metricNamespace = `${deployment.name}/Audit`;
  for (const { id, what, pattern } of watchedOf(deployment)) {
    new CfnMetricFilter(scope, `Filter${id}`, {
      logGroupName: logs.logGroupName,
      filterPattern: pattern,
      metricTransformations: [{ metricName: id, metricNamespace, metricValue: '1', defaultValue: 0 }],
    });
    new CfnAlarm(scope, `Alarm${id}`, {
      alarmName: `${deployment.name}-${id}`,
      alarmDescription: what,
      namespace: metricNamespace,
      metricName: id,
      statistic: 'Sum',
      comparisonOperator: 'GreaterThanThreshold',
      threshold: 0,
      period: PERIOD_SECONDS,
      evaluationPeriods: 1,
      treatMissingData: 'notBreaching',
      alarmActions: [topic.topicArn],
    });
  }
}
