/** Who may speak with whom. Every rule names the other side; nothing is open to all, outwards neither. */
import { type ISecurityGroup, Peer, Port, SecurityGroup, type Vpc } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import type { KnownRegion } from '../config/read.ts';
import { HEALTH_PORT, HTTPS_PORT, INGRESS_PORT } from './ports.ts';

export interface Groups {
  readonly balancer: ISecurityGroup;
  readonly fleet: ISecurityGroup;
  readonly endpoints: ISecurityGroup;
  /** Instances that make the machine image. */
  readonly builder: ISecurityGroup;
  /** Undefined where the database is elsewhere. */
  readonly database: ISecurityGroup | undefined;
}

function connect(from: ISecurityGroup, to: ISecurityGroup, port: number, what: string): void {
  from.addEgressRule(to, Port.tcp(port), what);
  to.addIngressRule(from, Port.tcp(port), what);
}

export function createGroups(scope: Construct, vpc: Vpc, region: KnownRegion): Groups {
  const group = (id: string, description: string) =>
    new SecurityGroup(scope, id, { vpc, description, allowAllOutbound: false });
  const groups: Groups = {
    balancer: group('BalancerGroup', 'load balancer'),
    fleet: group('FleetGroup', 'parent instances'),
    endpoints: group('EndpointsGroup', 'endpoints of AWS services'),
    builder: group('BuilderGroup', 'instances that make the machine image'),
    database: region.database.kind === 'external' ? undefined : group('DatabaseGroup', 'database'),
  };
  const { balancer, fleet, endpoints, builder, database } = groups;
  for (const network of region.clients.networks)
    balancer.addIngressRule(Peer.ipv4(network), Port.tcp(region.clients.port), 'clients');
  connect(balancer, fleet, INGRESS_PORT, 'sessions');
  connect(balancer, fleet, HEALTH_PORT, 'health checks');
  connect(fleet, endpoints, HTTPS_PORT, 'KMS, logs and metrics, life cycle');
  connect(builder, endpoints, HTTPS_PORT, 'Image Builder');
  builder.addEgressRule(
    Peer.prefixList(region.network.s3PrefixList),
    Port.tcp(HTTPS_PORT),
    'packages and artifacts in S3',
  );
  const port = Port.tcp(region.database.port);
  if (database !== undefined) connect(fleet, database, region.database.port, 'database');
  if (region.database.kind === 'external')
    for (const network of region.database.networks) fleet.addEgressRule(Peer.ipv4(network), port, 'database');
  else
    for (const network of region.database.administeredFrom)
      database?.addIngressRule(Peer.ipv4(network), port, 'administrators');
  return groups;
}
