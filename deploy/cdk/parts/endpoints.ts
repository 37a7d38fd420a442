/**
 * The only ways to AWS: interface endpoints with private names, and a gateway for S3. Each policy says who may use it and for what, so
 * that a parent instance that somebody took over reaches no account but this one by them.
 *
 * Names of the buckets: Amazon Linux 2023 user guide, "Repositories in S3"; Image Builder user guide, "Custom policies for S3 bucket access".
 */
import { Stack } from 'aws-cdk-lib';
import { GatewayVpcEndpointAwsService, InterfaceVpcEndpointAwsService as Service, type Vpc } from 'aws-cdk-lib/aws-ec2';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { Groups } from './security-groups.ts';

/** By the parents of enclaves and by who makes their image. */
const SERVICES: Readonly<Record<string, Service>> = {
  Sts: Service.STS,
  Logs: Service.CLOUDWATCH_LOGS,
  Monitoring: Service.CLOUDWATCH_MONITORING,
  EcrApi: Service.ECR,
  EcrDocker: Service.ECR_DOCKER,
  AutoScaling: Service.AUTOSCALING,
  // Image Builder speaks with its instances through Systems Manager; parents have no right to it.
  ImageBuilder: Service.IMAGE_BUILDER,
  Ssm: Service.SSM,
  SsmMessages: Service.SSM_MESSAGES,
  Ec2Messages: Service.EC2_MESSAGES,
};

/** What an enclave asks, in the name of its parent’s role, and nothing else of KMS. */
const KMS_ACTIONS = ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:GenerateRandom'];

function ofThisAccount(scope: Construct): PolicyStatement {
  const { account } = Stack.of(scope);
  return new PolicyStatement({
    effect: Effect.ALLOW,
    principals: [new AnyPrincipal()],
    actions: ['*'],
    resources: ['*'],
    conditions: { StringEquals: { 'aws:PrincipalAccount': account } },
  });
}

function byTheParent(parentRoleArn: string): PolicyStatement {
  return new PolicyStatement({
    effect: Effect.ALLOW,
    principals: [new AnyPrincipal()],
    actions: KMS_ACTIONS,
    resources: ['*'],
    conditions: { ArnEquals: { 'aws:PrincipalArn': parentRoleArn } },
  });
}

export function createEndpoints(scope: Construct, vpc: Vpc, groups: Groups, parentRoleArn: string): void {
  const shared = {
    subnets: { subnetGroupName: 'endpoints' },
    securityGroups: [groups.endpoints],
    privateDnsEnabled: true,
    open: false,
  };
  vpc.addInterfaceEndpoint('Kms', { service: Service.KMS, ...shared }).addToPolicy(byTheParent(parentRoleArn));
  for (const [id, service] of Object.entries(SERVICES))
    vpc.addInterfaceEndpoint(id, { service, ...shared }).addToPolicy(ofThisAccount(scope));
}

/** What Image Builder brings onto its instances, which ask for it in their own name: AWS's policy EC2InstanceProfileForImageBuilder. */
export function imageBuilderObjects(scope: Construct): readonly string[] {
  const { partition, region } = Stack.of(scope);
  return [
    `arn:${partition}:s3:::ec2imagebuilder-toe-${region}-prod/*`,
    `arn:${partition}:s3:::ec2imagebuilder-managed-resources-${region}-prod/components/*`,
  ];
}

/** @param artifacts the bucket's ARN */
export function createS3Gateway(scope: Construct, vpc: Vpc, artifacts: string): void {
  const { partition, region } = Stack.of(scope);
  const gateway = vpc.addGatewayEndpoint('S3', {
    service: GatewayVpcEndpointAwsService.S3,
    subnets: [{ subnetGroupName: 'endpoints' }],
  });
  const mayRead = (resources: string[], conditions = {}) =>
    gateway.addToPolicy(
      new PolicyStatement({
        effect: Effect.ALLOW,
        principals: [new AnyPrincipal()],
        actions: ['s3:GetObject'],
        resources,
        conditions,
      }),
    );
  mayRead([`${artifacts}/*`], { StringEquals: { 'aws:PrincipalAccount': Stack.of(scope).account } });
  mayRead([`arn:${partition}:s3:::al2023-repos-${region}-de612dc2/*`, ...imageBuilderObjects(scope)]);
}
