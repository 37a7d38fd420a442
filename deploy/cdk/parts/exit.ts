/**
 * Ways out of the VPC beside the endpoints: to the database's networks, where it is elsewhere, and back to clients, both by a transit
 * gateway. Nothing else has a route; the routes of the gateway itself are made where it is.
 *
 * The attachment is in appliance mode, so that both directions of a connection pass the same zone and so the same firewall (Amazon VPC,
 * "Example: Appliances in a shared services VPC").
 */
import { CfnRoute, CfnTransitGatewayAttachment, type ISubnet, type Vpc } from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { KnownRegion } from '../config/read.ts';
import { createFirewalls, type ZoneFirewall } from './firewall.ts';
import { networksOf, subnetsOf } from './network.ts';

/** Where packets from these subnets to these networks go. */
interface Way {
  readonly id: string;
  readonly subnets: readonly ISubnet[];
  readonly networks: readonly string[];
  readonly target: (zone: number) => { readonly transitGatewayId: string } | { readonly vpcEndpointId: string };
  readonly after: readonly (CfnTransitGatewayAttachment | ZoneFirewall['resource'])[];
}

function open(scope: Construct, { id, subnets, networks, target, after }: Way): void {
  for (const [zone, subnet] of subnets.entries())
    for (const [index, destinationCidrBlock] of networks.entries()) {
      const route = new CfnRoute(scope, `${id}${zone}x${index}`, {
        routeTableId: subnet.routeTable.routeTableId,
        destinationCidrBlock,
        ...target(zone),
      });
      for (const resource of after) route.addResourceDependency(resource);
    }
}

function attach(scope: Construct, vpc: Vpc, transitGatewayId: string, index: number): CfnTransitGatewayAttachment {
  return new CfnTransitGatewayAttachment(scope, `Attachment${index}`, {
    transitGatewayId,
    vpcId: vpc.vpcId,
    subnetIds: subnetsOf(vpc, 'exit').map(({ subnetId }) => subnetId),
    options: { ApplianceModeSupport: 'enable', DnsSupport: 'enable' },
  });
}

/** @returns the gateways that the deployment names, each once */
function gatewaysOf({ clients, database }: KnownRegion): readonly string[] {
  const ofDatabase = database.kind === 'external' ? [database.transitGateway] : [];
  return [...new Set([...ofDatabase, ...(clients.routedBy === undefined ? [] : [clients.routedBy])])];
}

export function createExit(scope: Construct, vpc: Vpc, region: KnownRegion, encryptionKey: IKey): void {
  const { clients, database } = region;
  const attachments = gatewaysOf(region).map((gateway, index) => attach(scope, vpc, gateway, index));
  const [fleet, exit] = [subnetsOf(vpc, 'fleet'), subnetsOf(vpc, 'exit')];
  const by = (transitGatewayId: string) => ({ target: () => ({ transitGatewayId }), after: attachments });
  if (clients.routedBy !== undefined) {
    const subnets = subnetsOf(vpc, 'balancer');
    open(scope, { id: 'ToClients', subnets, networks: clients.networks, ...by(clients.routedBy) });
  }
  if (database.kind !== 'external') {
    const subnets = subnetsOf(vpc, 'database');
    if (clients.routedBy !== undefined)
      open(scope, { id: 'ToAdministrators', subnets, networks: database.administeredFrom, ...by(clients.routedBy) });
    return;
  }
  const { networks, transitGateway } = database;
  if (!database.networkFirewall) {
    open(scope, { id: 'ToDatabase', subnets: fleet, networks, ...by(transitGateway) });
    return;
  }
  const firewalls = createFirewalls(scope, vpc, database, encryptionKey);
  const by2 = {
    target: (zone: number) => ({ vpcEndpointId: firewalls[zone]?.endpointId ?? '' }),
    after: firewalls.map(({ resource }) => resource),
  };
  open(scope, { id: 'ToFirewall', subnets: fleet, networks, ...by2 });
  open(scope, { id: 'ToDatabase', subnets: subnetsOf(vpc, 'firewall'), networks, ...by(transitGateway) });
  for (const [zone, network] of networksOf(fleet).entries())
    open(scope, { id: `Back${zone}`, subnets: exit, networks: [network], ...by2, target: () => by2.target(zone) });
}
