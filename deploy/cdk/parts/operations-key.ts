/**
 * The key of what operations write: logs, alarms, records of CloudTrail, the database's disks. It is no key of an enclave, and its policy
 * leaves it to the account's IAM as usual.
 */
import { Stack } from 'aws-cdk-lib';
import { AccountRootPrincipal, Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { partitionOf } from '../../../config/aws-names.ts';

/** May encrypt what they store or send for this account, and nothing for another. */
const SERVICES = ['cloudtrail.amazonaws.com', 'cloudwatch.amazonaws.com'];
const OF_AUTO_SCALING = 'aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling';

export function createOperationsKey(scope: Construct, name: string): Key {
  const { account, partition, region } = Stack.of(scope);
  const { dnsSuffix } = partitionOf(region);
  const key = new Key(scope, 'OperationsKey', {
    description: `${name}: logs, alarms, records and disks; no key of an enclave`,
    enableKeyRotation: true,
  });
  key.addToResourcePolicy(
    new PolicyStatement({
      effect: Effect.ALLOW,
      principals: [new ServicePrincipal(`logs.${region}.${dnsSuffix}`)],
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
  // Auto Scaling publishes to an encrypted topic by its service-linked role, which an account has from its first group on: a policy that named
  // it as principal would be refused before (Amazon EC2 Auto Scaling user guide, "Amazon SNS notification options", encrypted topics).
  key.addToResourcePolicy(
    new PolicyStatement({
      effect: Effect.ALLOW,
      principals: [new AccountRootPrincipal()],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      resources: ['*'],
      conditions: { ArnEquals: { 'aws:PrincipalArn': `arn:${partition}:iam::${account}:role/${OF_AUTO_SCALING}` } },
    }),
  );
  return key;
}
