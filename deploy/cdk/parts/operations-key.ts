/**
 * The key of what operations write: logs, alarms, records of CloudTrail, the database's disks. It is no key of an enclave, and its policy
 * leaves it to the account's IAM as usual.
 */
import { Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

/** May encrypt what they store or send for this account, and nothing for another. */
const SERVICES = ['cloudtrail.amazonaws.com', 'cloudwatch.amazonaws.com', 'autoscaling.amazonaws.com'];

export function createOperationsKey(scope: Construct, name: string): Key {
  const { account, partition, region } = Stack.of(scope);
  const key = new Key(scope, 'OperationsKey', {
    description: `${name}: logs, alarms, records and disks; no key of an enclave`,
    enableKeyRotation: true,
  });
  key.addToResourcePolicy(
    new PolicyStatement({
      effect: Effect.ALLOW,
      principals: [new ServicePrincipal(`logs.${region}.amazonaws.com`)],
      actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
      resources: ['*'],
      conditions: {
        ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:log-group:*` },
      },
    }),
  );
  key.addToResourcePolicy(
    new PolicyStatement({
      effect: Effect.ALLOW,
      principals: SERVICES.map((service) => new ServicePrincipal(service)),
      actions: ['kms:Decrypt', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
      resources: ['*'],
      conditions: { StringEquals: { 'aws:SourceAccount': account } },
    }),
  );
  return key;
}
