/**
 * The load balancer: TCP passed as it is, TLS ends in the enclave. Whose connection it is says the PROXY header; so the addresses of clients
 * are not preserved, host-proxy sees the balancer's own, and believes the header from there and from nowhere else.
 *
 * It asks /readyz of the listener that host-proxy has for this. Elastic Load Balancing, "Target groups for your Network Load Balancers".
 */
import { CfnListener, CfnLoadBalancer, CfnTargetGroup } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { KnownRegion } from '../config/read.ts';
import type { FoundationStack } from '../stacks/foundation.ts';
import { CHECK_SECONDS, CHECKS } from './health-check.ts';
import { subnetsOf } from './network.ts';
import { HEALTH_PORT, INGRESS_PORT } from './ports.ts';

const ACCESS_LOG_PREFIX = 'balancer';

export interface Balancer {
  readonly loadBalancer: CfnLoadBalancer;
  readonly targetGroup: CfnTargetGroup;
}

const attributes = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([key, value]) => ({ key, value }));

/** Elastic Load Balancing, "Access logs for your Network Load Balancer", bucket permissions. */
function letItWrite(bucket: Bucket, account: string): void {
  const writer = (actions: string[], resources: string[], conditions: Record<string, string>) =>
    bucket.addToResourcePolicy(
      new PolicyStatement({
        effect: Effect.ALLOW,
        principals: [new ServicePrincipal('delivery.logs.amazonaws.com')],
        actions,
        resources,
        conditions: { StringEquals: { 'aws:SourceAccount': account, ...conditions } },
      }),
    );
  writer(['s3:GetBucketAcl'], [bucket.bucketArn], {});
  const objects = bucket.arnForObjects(`${ACCESS_LOG_PREFIX}/AWSLogs/${account}/*`);
  writer(['s3:PutObject'], [objects], { 's3:x-amz-acl': 'bucket-owner-full-control' });
}

function createTargetGroup(scope: Construct, vpcId: string, { fleet }: KnownRegion): CfnTargetGroup {
  return new CfnTargetGroup(scope, 'Targets', {
    vpcId,
    protocol: 'TCP',
    port: INGRESS_PORT,
    targetType: 'instance',
    healthCheckProtocol: 'HTTP',
    healthCheckPort: String(HEALTH_PORT),
    healthCheckPath: '/readyz',
    matcher: { httpCode: '200' },
    healthCheckIntervalSeconds: CHECK_SECONDS,
    healthyThresholdCount: CHECKS,
    unhealthyThresholdCount: CHECKS,
    targetGroupAttributes: attributes({
      'proxy_protocol_v2.enabled': 'true',
      'preserve_client_ip.enabled': 'false',
      'deregistration_delay.timeout_seconds': String(fleet.drainSeconds),
      // Sessions end as PostgreSQL's do, when they are idle; the balancer cuts none.
      'deregistration_delay.connection_termination.enabled': 'false',
      'target_health_state.unhealthy.connection_termination.enabled': 'false',
    }),
  });
}

export function createBalancer(scope: Construct, foundation: FoundationStack, region: KnownRegion): Balancer {
  const { vpc, groups, accessLogs, account } = foundation;
  letItWrite(accessLogs, account);
  const loadBalancer = new CfnLoadBalancer(scope, 'Balancer', {
    type: 'network',
    scheme: 'internal',
    ipAddressType: 'ipv4',
    subnets: subnetsOf(vpc, 'balancer').map(({ subnetId }) => subnetId),
    securityGroups: [groups.balancer.securityGroupId],
    enforceSecurityGroupInboundRulesOnPrivateLinkTraffic: 'on',
    loadBalancerAttributes: attributes({
      'deletion_protection.enabled': 'true',
      'load_balancing.cross_zone.enabled': 'true',
      'access_logs.s3.enabled': 'true',
      'access_logs.s3.bucket': accessLogs.bucketName,
      'access_logs.s3.prefix': ACCESS_LOG_PREFIX,
    }),
  });
  const targetGroup = createTargetGroup(scope, vpc.vpcId, region);
  new CfnListener(scope, 'Listener', {
    loadBalancerArn: loadBalancer.ref,
    protocol: 'TCP',
    port: region.clients.port,
    defaultActions: [{ type: 'forward', targetGroupArn: targetGroup.ref }],
  });
  return { loadBalancer, targetGroup };
}
