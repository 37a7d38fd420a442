/**
 * A VPC without any way to or from the internet: no internet gateway, no NAT, no public address. What the instances need of AWS they
 * reach by endpoints, the database inside or by a transit gateway.
 *
 * The load balancer has subnets of its own: host-proxy believes the PROXY header of whoever connects from there (`proxyProtocol.from`),
 * so nobody else may have an address in them.
 */
import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  FlowLogTrafficType,
  IpAddresses,
  type ISubnet,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { KnownRegion } from '../config/read.ts';

const SUBNETS = ['balancer', 'fleet', 'endpoints', 'database', 'exit', 'firewall'] as const;
export type SubnetGroup = (typeof SUBNETS)[number];

/** A VPC of /20 has room for three zones of these: 4,096 addresses, of which they take 3 × (4 × 64 + 2 × 16). */
const MASKS: Readonly<Record<SubnetGroup, number>> = {
  balancer: 28,
  fleet: 26,
  endpoints: 26,
  database: 26,
  exit: 28,
  firewall: 28,
};
/** For zones that come later, so that those that are there keep their networks. */
const MOST_ZONES = 3;

/** Every group keeps its place, whether it is used or not. */
function isUsed(group: SubnetGroup, { clients, database }: KnownRegion): boolean {
  if (group === 'database') return database.kind !== 'external';
  if (group === 'firewall') return database.kind === 'external' && database.networkFirewall;
  if (group === 'exit') return database.kind === 'external' || clients.routedBy !== undefined;
  return true;
}

export function createVpc(scope: Construct, region: KnownRegion): Vpc {
  const vpc = new Vpc(scope, 'Vpc', {
    ipAddresses: IpAddresses.cidr(region.network.cidr),
    availabilityZones: [...region.zones],
    reservedAzs: MOST_ZONES - region.zones.length,
    createInternetGateway: false,
    natGateways: 0,
    subnetConfiguration: SUBNETS.map((name) => ({
      name,
      subnetType: SubnetType.PRIVATE_ISOLATED,
      cidrMask: MASKS[name],
      reserved: !isUsed(name, region),
    })),
  });
  Validations.of(vpc).acknowledge({
    id: 'CloudFormation-Validate::W3010',
    reason: 'Which zones there are is a choice of deployment.yaml, and nothing is looked up in the account.',
  });
  return vpc;
}

export function subnetsOf(vpc: Vpc, group: SubnetGroup): readonly ISubnet[] {
  return vpc.selectSubnets({ subnetGroupName: group }).subnets;
}

export const networksOf = (subnets: readonly ISubnet[]) => subnets.map(({ ipv4CidrBlock }) => ipv4CidrBlock);

/** Who connected to whom, refused or not. */
export function recordFlows(scope: Construct, vpc: Vpc, logGroupName: string, encryptionKey: IKey): void {
  const logGroup = new LogGroup(scope, 'Flows', {
    logGroupName,
    encryptionKey,
    retention: RetentionDays.ONE_YEAR,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  vpc.addFlowLog('FlowLog', {
    destination: FlowLogDestination.toCloudWatchLogs(logGroup),
    trafficType: FlowLogTrafficType.ALL,
  });
}
