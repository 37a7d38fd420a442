/** Nothing leads to the internet or from it, and nobody reaches what is not meant for him. */
import { at, list, ofType, stringsIn } from '../support/look.ts';
import type { Resource } from '../support/synthesized.ts';
import type { Requirement } from './requirement.ts';

const INTERNET = [
  'AWS::EC2::InternetGateway',
  'AWS::EC2::EgressOnlyInternetGateway',
  'AWS::EC2::NatGateway',
  'AWS::EC2::EIP',
  'AWS::EC2::VPCGatewayAttachment',
  'AWS::GlobalAccelerator::Accelerator',
];
const EVERYWHERE = /^(0\.0\.0\.0|::)\/0$/;

const rulesOf = (resources: readonly Resource[], kind: 'Ingress' | 'Egress') =>
  resources.flatMap(({ id, type, properties }) => {
    if (type === `AWS::EC2::SecurityGroup${kind}`) return [{ id, rule: properties }];
    if (type !== 'AWS::EC2::SecurityGroup') return [];
    return list(properties[`SecurityGroup${kind}`]).map((rule) => ({ id, rule }));
  });

/** By which a group is closed that has no rule outwards: one that no packet can meet. */
const isNothing = (rule: object) => at(rule, 'CidrIp') === '255.255.255.255/32' && at(rule, 'IpProtocol') === 'icmp';

export const NETWORK: readonly Requirement[] = [
  {
    name: 'keeps the VPC without a gateway to the internet, and without a route to everywhere',
    check: (t, made) => {
      t.same(
        made.resources.filter(({ type }) => INTERNET.includes(type)),
        [],
      );
      const routes = ofType(made, 'AWS::EC2::Route');
      t.same(
        routes.filter(({ properties }) => EVERYWHERE.test(String(properties['DestinationCidrBlock']))),
        [],
      );
      for (const { properties, id } of routes) t.notOk(properties['GatewayId'] ?? properties['NatGatewayId'], id);
    },
  },
  {
    name: 'gives nothing a public address',
    check: (t, made) => {
      const subnets = ofType(made, 'AWS::EC2::Subnet');
      t.ok(subnets.length > 0);
      for (const { properties, id } of subnets) t.equal(properties['MapPublicIpOnLaunch'], false, id);
      for (const { properties } of ofType(made, 'AWS::EC2::LaunchTemplate'))
        t.equal(at(properties, 'LaunchTemplateData', 'NetworkInterfaces', 0, 'AssociatePublicIpAddress'), false);
      for (const { properties } of ofType(made, 'AWS::RDS::DBInstance'))
        t.equal(properties['PubliclyAccessible'], false);
      for (const { properties } of ofType(made, 'AWS::ElasticLoadBalancingV2::LoadBalancer'))
        t.equal(properties['Scheme'], 'internal');
    },
  },
  {
    name: 'lets clients in at the balancer’s port alone, and from their networks alone',
    check: (t, made) => {
      const networks = new Set(made.deployment.regions.flatMap(({ clients }) => clients.networks));
      const open = rulesOf(made.resources, 'Ingress').filter(({ rule }) => at(rule, 'CidrIp') ?? at(rule, 'CidrIpv6'));
      t.ok(open.length > 0);
      for (const { id, rule } of open) {
        t.match(id, /^BalancerGroup/);
        t.ok(networks.has(String(at(rule, 'CidrIp'))), String(at(rule, 'CidrIp')));
        t.same([at(rule, 'FromPort'), at(rule, 'ToPort'), at(rule, 'IpProtocol')], [5432, 5432, 'tcp']);
      }
    },
  },
  {
    name: 'opens nothing to everywhere, outwards neither',
    check: (t, made) => {
      const rules = [...rulesOf(made.resources, 'Ingress'), ...rulesOf(made.resources, 'Egress')];
      t.ok(rules.length > 5);
      const open = rules.filter(({ rule }) =>
        stringsIn([at(rule, 'CidrIp'), at(rule, 'CidrIpv6')]).some((network) => EVERYWHERE.test(network)),
      );
      t.same(open, []);
      for (const { id, rule } of rules) if (!isNothing(rule)) t.equal(at(rule, 'IpProtocol'), 'tcp', id);
    },
  },
  {
    name: 'lets parents out to endpoints and the database, and nowhere else',
    check: (t, made) => {
      const external = new Set(
        made.deployment.regions.flatMap(({ database }) => (database.kind === 'external' ? database.networks : [])),
      );
      const ofFleet = rulesOf(made.resources, 'Egress').filter(({ id }) => id.startsWith('FleetGroup'));
      const real = ofFleet.filter(({ rule }) => !isNothing(rule));
      t.ok(real.length > 0);
      for (const { rule } of real) {
        const network = at(rule, 'CidrIp');
        if (network === undefined) t.ok(at(rule, 'DestinationSecurityGroupId'));
        else t.ok(external.has(String(network)), String(network));
      }
    },
  },
  {
    name: 'records who connects to whom',
    check: (t, made) => {
      const logs = ofType(made, 'AWS::EC2::FlowLog');
      t.equal(logs.length, made.deployment.regions.length);
      for (const { properties } of logs) t.match(properties, { ResourceType: 'VPC', TrafficType: 'ALL' });
    },
  },
];
