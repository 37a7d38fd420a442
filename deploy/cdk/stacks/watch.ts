/**
 * Who watches the account: CloudTrail, whose records nobody can delete, alarms on what changes who may decrypt, and GuardDuty. One trail
 * for all regions, in the first.
 */
import { RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { ReadWriteType, Trail } from 'aws-cdk-lib/aws-cloudtrail';
import { CfnDetector } from 'aws-cdk-lib/aws-guardduty';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { KnownDeployment, KnownRegion } from '../config/read.ts';
import { createAuditRecords } from '../parts/buckets.ts';
import { createKeyAlarms } from '../parts/key-alarms.ts';
import { namesOf } from '../parts/names.ts';
import type { FoundationStack } from './foundation.ts';

export interface WatchProps extends StackProps {
  readonly deployment: KnownDeployment;
  readonly region: KnownRegion;
  readonly foundation: FoundationStack;
}

export class WatchStack extends Stack {
  constructor(scope: Construct, id: string, props: WatchProps) {
    super(scope, id, props);
    const { deployment, region, foundation } = props;
    if (deployment.watch.guardDuty) new CfnDetector(this, 'GuardDuty', { enable: true });
    if (region !== deployment.regions[0]) return;
    const logGroup = new LogGroup(this, 'TrailLogs', {
      logGroupName: namesOf(deployment, region.region).logGroups.trail,
      encryptionKey: foundation.operationsKey,
      retention: RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const bucket = createAuditRecords(
      this,
      foundation.operationsKey,
      foundation.accessLogs,
      deployment.watch.auditDays,
    );
    const trail = new Trail(this, 'Trail', {
      trailName: `${deployment.name}-trail`,
      bucket,
      encryptionKey: foundation.operationsKey,
      isMultiRegionTrail: true,
      includeGlobalServiceEvents: true,
      enableFileValidation: true,
      managementEvents: ReadWriteType.ALL,
      sendToCloudWatchLogs: true,
      cloudWatchLogGroup: logGroup,
    });
    // Requests to KMS are management events, reads among them; of S3 each object of the artifacts.
    trail.addS3EventSelector([{ bucket: foundation.artifacts }]);
    createKeyAlarms(this, foundation.topic, logGroup, deployment);
  }
}
