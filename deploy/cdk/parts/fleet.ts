/**
 * The parent instances: an Auto Scaling group that starts a new one beside an old one, lets it in when its enclave serves, and lets an old
 * one go when its sessions have ended. Both are life-cycle hooks, which the instances complete themselves.
 *
 * It does not replace instances by the balancer's health checks: when the database or KMS is away all of them are red at once, and an
 * enclave that closed after a poison record must stay as it is. host-proxy restarts what a restart can mend.
 */
import { Fn } from 'aws-cdk-lib';
import { CfnAutoScalingGroup } from 'aws-cdk-lib/aws-autoscaling';
import { CfnLaunchTemplate } from 'aws-cdk-lib/aws-ec2';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { KnownRegion } from '../config/read.ts';
import type { FoundationStack } from '../stacks/foundation.ts';
import type { Balancer } from './balancer.ts';
import { LAUNCH_HOOK, STOP_MARGIN_SECONDS, TERMINATE_HOOK } from './instance-files.ts';
import type { Names } from './names.ts';
import { subnetsOf } from './network.ts';

/** From the start of an instance until its enclave serves: KMS and the database may be away for some minutes of that. */
const LAUNCH_SECONDS = 1_800;
const GRACE_SECONDS = 300;
const COOLDOWN_SECONDS = '300';
const ROOT_DEVICE = '/dev/xvda';
const ROOT_GIB = 20;

export interface FleetFacts {
  readonly foundation: FoundationStack;
  readonly names: Names;
  readonly region: KnownRegion;
  readonly balancer: Balancer;
  readonly machineImageId: string;
  readonly userData: string;
}

function createTemplate(scope: Construct, facts: FleetFacts): CfnLaunchTemplate {
  const { foundation, names, region, machineImageId, userData } = facts;
  const tags = [{ key: 'Name', value: names.fleet }];
  return new CfnLaunchTemplate(scope, 'Template', {
    launchTemplateData: {
      imageId: machineImageId,
      instanceType: region.fleet.instanceType,
      enclaveOptions: { enabled: true },
      metadataOptions: {
        httpEndpoint: 'enabled',
        httpTokens: 'required',
        httpPutResponseHopLimit: 1,
        instanceMetadataTags: 'disabled',
      },
      iamInstanceProfile: { arn: foundation.parent.instanceProfileArn },
      placement: { tenancy: region.fleet.tenancy },
      monitoring: { enabled: true },
      networkInterfaces: [
        {
          deviceIndex: 0,
          associatePublicIpAddress: false,
          deleteOnTermination: true,
          groups: [foundation.groups.fleet.securityGroupId],
        },
      ],
      blockDeviceMappings: [
        {
          deviceName: ROOT_DEVICE,
          ebs: { encrypted: true, volumeSize: ROOT_GIB, volumeType: 'gp3', deleteOnTermination: true },
        },
      ],
      tagSpecifications: ['instance', 'volume'].map((resourceType) => ({ resourceType, tags })),
      userData: Fn.base64(userData),
    },
  });
}

function hooks({ fleet }: KnownRegion): CfnAutoScalingGroup.LifecycleHookSpecificationProperty[] {
  return [
    {
      lifecycleHookName: LAUNCH_HOOK,
      lifecycleTransition: 'autoscaling:EC2_INSTANCE_LAUNCHING',
      // An image that does not serve never takes the place of one that does.
      defaultResult: 'ABANDON',
      heartbeatTimeout: LAUNCH_SECONDS,
    },
    {
      lifecycleHookName: TERMINATE_HOOK,
      lifecycleTransition: 'autoscaling:EC2_INSTANCE_TERMINATING',
      defaultResult: 'CONTINUE',
      heartbeatTimeout: fleet.drainSeconds + 2 * STOP_MARGIN_SECONDS,
    },
  ];
}

const TOLD = ['LAUNCH', 'LAUNCH_ERROR', 'TERMINATE', 'TERMINATE_ERROR'];

/** Logs and metrics, and the end of a hook of this group: all that a parent may do beside what the first stack gives it. */
function allowOperation(scope: Construct, { foundation }: FleetFacts, group: CfnAutoScalingGroup): void {
  const { hostProxy, metrics } = foundation.logGroups;
  new ManagedPolicy(scope, 'ParentOperation', {
    description: 'Logs, metrics, and the life cycle of its own group',
    roles: [foundation.parent.role],
    statements: [
      new PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
        resources: [hostProxy.logGroupArn, metrics.logGroupArn],
      }),
      new PolicyStatement({
        actions: ['autoscaling:CompleteLifecycleAction'],
        resources: [group.attrAutoScalingGroupArn],
      }),
    ],
  });
}

export function createFleet(scope: Construct, facts: FleetFacts): CfnAutoScalingGroup {
  const { foundation, names, region, balancer } = facts;
  const template = createTemplate(scope, facts);
  const { minInstances, maxInstances } = region.fleet;
  const group = new CfnAutoScalingGroup(scope, 'Fleet', {
    autoScalingGroupName: names.fleet,
    launchTemplate: { launchTemplateId: template.ref, version: template.attrLatestVersionNumber },
    minSize: String(minInstances),
    maxSize: String(maxInstances),
    vpcZoneIdentifier: subnetsOf(foundation.vpc, 'fleet').map(({ subnetId }) => subnetId),
    targetGroupArns: [balancer.targetGroup.ref],
    healthCheckType: 'EC2',
    healthCheckGracePeriod: GRACE_SECONDS,
    cooldown: COOLDOWN_SECONDS,
    defaultInstanceWarmup: 0,
    instanceMaintenancePolicy: { minHealthyPercentage: 100, maxHealthyPercentage: 200 },
    lifecycleHookSpecificationList: hooks(region),
    notificationConfigurations: [
      {
        topicArn: foundation.topic.topicArn,
        notificationTypes: TOLD.map((event) => `autoscaling:EC2_INSTANCE_${event}`),
      },
    ],
    tags: [{ key: 'Name', value: names.fleet, propagateAtLaunch: false }],
  });
  allowOperation(scope, facts, group);
  return group;
}
