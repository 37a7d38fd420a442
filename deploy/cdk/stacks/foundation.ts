/** What everything else of a region stands on: the network, the parent's role, and where artifacts and logs go. */
import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import type { Vpc } from 'aws-cdk-lib/aws-ec2';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { KnownDeployment, KnownRegion } from '../config/read.ts';
import { createAlarmTopic } from '../parts/alarm-topic.ts';
import { createAccessLogs, createArtifacts } from '../parts/buckets.ts';
import { createEndpoints, createS3Gateway } from '../parts/endpoints.ts';
import { createExit } from '../parts/exit.ts';
import { namesOf } from '../parts/names.ts';
import { createVpc, recordFlows } from '../parts/network.ts';
import { createOperationsKey } from '../parts/operations-key.ts';
import { createParentRole, type ParentRole } from '../parts/parent-role.ts';
import { createGroups, type Groups } from '../parts/security-groups.ts';

export class FoundationStack extends Stack {
  readonly vpc: Vpc;
  readonly groups: Groups;
  readonly parent: ParentRole;
  readonly operationsKey: Key;
  readonly accessLogs: Bucket;
  readonly artifacts: Bucket;
  readonly topic: Topic;
  readonly #zones: readonly string[];
  readonly logGroups: { readonly hostProxy: LogGroup; readonly metrics: LogGroup };

  constructor(scope: Construct, id: string, deployment: KnownDeployment, region: KnownRegion, props: StackProps) {
    super(scope, id, props);
    this.#zones = region.zones;
    const names = namesOf(deployment, region.region);
    this.operationsKey = createOperationsKey(this, deployment.name);
    this.topic = createAlarmTopic(this, this.operationsKey, deployment.watch.email);
    this.accessLogs = createAccessLogs(this);
    this.artifacts = createArtifacts(this, names.artifacts, this.accessLogs);
    this.parent = createParentRole(this, deployment, region);
    this.vpc = createVpc(this, region);
    this.groups = createGroups(this, this.vpc, region);
    createEndpoints(this, this.vpc, this.groups, this.parent.arn);
    createS3Gateway(this, this.vpc, this.artifacts.bucketArn);
    createExit(this, this.vpc, region, this.operationsKey);
    recordFlows(this, this.vpc, names.logGroups.flows, this.operationsKey);
    this.logGroups = {
      hostProxy: this.#logGroup('HostProxyLogs', names.logGroups.hostProxy),
      metrics: this.#logGroup('Metrics', names.logGroups.metrics),
    };
    new CfnOutput(this, 'ArtifactsBucket', { value: this.artifacts.bucketName });
    new CfnOutput(this, 'ParentRole', { value: this.parent.arn });
  }

  /** Those of deployment.yaml: nothing is looked up in the account. */
  override get availabilityZones(): string[] {
    return [...this.#zones];
  }

  #logGroup(id: string, logGroupName: string): LogGroup {
    return new LogGroup(this, id, {
      logGroupName,
      encryptionKey: this.operationsKey,
      retention: RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }
}
