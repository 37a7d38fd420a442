/** Where the database is elsewhere and a firewall was asked for, everything passes it, both ways, and nothing but the database's port. */
import { at, list, ofType, stringsIn } from '../support/look.ts';
import type { Requirement } from './requirement.ts';

export const FIREWALL: readonly Requirement[] = [
  {
    name: 'lets nothing but the database’s port through a firewall that was asked for, and has no way round it',
    check: (t, made) => {
      const asked = made.deployment.regions.filter(
        ({ database }) => database.kind === 'external' && database.networkFirewall,
      );
      t.equal(
        ofType(made, 'AWS::NetworkFirewall::Firewall').length,
        asked.reduce((sum, { zones }) => sum + zones.length, 0),
      );
      for (const { database } of asked) {
        if (database.kind !== 'external') continue;
        const [rules] = ofType(made, 'AWS::NetworkFirewall::RuleGroup');
        const headers = list(at(rules?.properties, 'RuleGroup', 'RulesSource', 'StatefulRules'));
        const sources = ofType(made, 'AWS::EC2::Subnet')
          .filter(({ id }) => /fleet/i.test(id))
          .map(({ properties }) => properties['CidrBlock']);
        t.same(
          headers.map((each) => [
            each['Action'],
            at(each, 'Header', 'Source'),
            at(each, 'Header', 'Destination'),
            at(each, 'Header', 'DestinationPort'),
          ]),
          database.networks.flatMap((network) =>
            sources.map((source) => ['PASS', source, network, String(database.port)]),
          ),
        );
        const [policy] = ofType(made, 'AWS::NetworkFirewall::FirewallPolicy');
        t.match(at(policy?.properties, 'FirewallPolicy', 'StatefulDefaultActions'), ['aws:drop_strict']);
        const ways = ofType(made, 'AWS::EC2::Route').map(({ id, properties }) => ({ id, ...properties })) as Record<
          string,
          unknown
        >[];
        const fromFleet = ways.filter((way) => stringsIn(way['RouteTableId']).some((id) => /fleet/i.test(id)));
        t.ok(fromFleet.length > 0);
        for (const way of fromFleet) t.ok(way['VpcEndpointId'], 'through the firewall');
        t.ok(
          ways.some((way) => String(way['id']).startsWith('Back') && way['VpcEndpointId']),
          'and back',
        );
      }
    },
  },
  {
    name: 'attaches the VPC to the gateways that are named, in appliance mode, and to none else',
    check: (t, made) => {
      for (const { properties } of ofType(made, 'AWS::EC2::TransitGatewayAttachment')) {
        t.equal(properties['TransitGatewayId'], 'tgw-0123456789abcdef0');
        t.equal(at(properties, 'Options', 'ApplianceModeSupport'), 'enable');
      }
    },
  },
];
