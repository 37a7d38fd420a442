/** Buckets: nothing public, TLS only, every access written down. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type BucketProps,
  ObjectLockRetention,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

const ACCESS_LOG_DAYS = 400;

const CLOSED = {
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
  removalPolicy: RemovalPolicy.RETAIN,
  versioned: true,
} as const satisfies BucketProps;

/** What S3 and the load balancer write of who came. They can write to no bucket under a key of the account’s own. */
export function createAccessLogs(scope: Construct): Bucket {
  return new Bucket(scope, 'AccessLogs', {
    ...CLOSED,
    encryption: BucketEncryption.S3_MANAGED,
    lifecycleRules: [{ expiration: Duration.days(ACCESS_LOG_DAYS) }],
  });
}

/** Images and releases, each under its own digest: what lies here is checked by who takes it, so that nobody need trust the bucket. */
export function createArtifacts(scope: Construct, bucketName: string, accessLogs: Bucket): Bucket {
  return new Bucket(scope, 'Artifacts', {
    ...CLOSED,
    bucketName,
    encryption: BucketEncryption.S3_MANAGED,
    serverAccessLogsBucket: accessLogs,
    serverAccessLogsPrefix: 'artifacts/',
  });
}

/** Where nobody can delete or change what CloudTrail wrote, the account’s root neither. */
export function createAuditRecords(scope: Construct, encryptionKey: IKey, accessLogs: Bucket, days: number): Bucket {
  return new Bucket(scope, 'AuditRecords', {
    ...CLOSED,
    encryption: BucketEncryption.KMS,
    encryptionKey,
    bucketKeyEnabled: true,
    objectLockEnabled: true,
    objectLockDefaultRetention: ObjectLockRetention.compliance(Duration.days(days)),
    serverAccessLogsBucket: accessLogs,
    serverAccessLogsPrefix: 'audit/',
  });
}
