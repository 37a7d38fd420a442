/**
 * An AWS Network Firewall in the way to a database elsewhere: it lets connections from the fleet to the database's port pass, and drops all
 * else. One for each zone, so that its endpoint is known: of several, CloudFormation tells the endpoints in no order.
 */
import { Fn, RemovalPolicy } from 'aws-cdk-lib';
import type { Vpc } from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnFirewall, CfnFirewallPolicy, CfnLoggingConfiguration, CfnRuleGroup } from 'aws-cdk-lib/aws-networkfirewall';
import type { Construct } from 'constructs';
import type { DatabaseConfig } from '../config/region.ts';
import { networksOf, subnetsOf } from './network.ts';

type External = Extract<DatabaseConfig, { kind: 'external' }>;

export interface ZoneFirewall {
  readonly resource: CfnFirewall;
  readonly endpointId: string;
}

/** Of rules, fixed for ever; each pair of networks takes one. A rule names one network each way: Network Firewall API, `Header`. */
const RULE_CAPACITY = 200;
const ENDPOINT_OF_ZONE = 1;

function createPolicy(scope: Construct, vpc: Vpc, { networks, port }: External): CfnFirewallPolicy {
  const name = `${vpc.node.scope?.node.id ?? 'acra'}-database`;
  const sources = networksOf(subnetsOf(vpc, 'fleet'));
  const pairs = networks.flatMap((destination) => sources.map((source) => ({ source, destination })));
  const rules = new CfnRuleGroup(scope, 'ToDatabaseOnly', {
    ruleGroupName: name,
    type: 'STATEFUL',
    capacity: RULE_CAPACITY,
    ruleGroup: {
      statefulRuleOptions: { ruleOrder: 'STRICT_ORDER' },
      rulesSource: {
        statefulRules: pairs.map(({ source, destination }, index) => ({
          action: 'PASS',
          header: {
            protocol: 'TCP',
            source,
            sourcePort: 'ANY',
            direction: 'FORWARD',
            destination,
            destinationPort: String(port),
          },
          ruleOptions: [{ keyword: 'sid', settings: [String(index + 1)] }],
        })),
      },
    },
  });
  return new CfnFirewallPolicy(scope, 'FirewallPolicy', {
    firewallPolicyName: name,
    firewallPolicy: {
      statelessDefaultActions: ['aws:forward_to_sfe'],
      statelessFragmentDefaultActions: ['aws:drop'],
      statefulEngineOptions: { ruleOrder: 'STRICT_ORDER', streamExceptionPolicy: 'DROP' },
      statefulDefaultActions: ['aws:drop_strict', 'aws:alert_strict'],
      statefulRuleGroupReferences: [{ resourceArn: rules.attrRuleGroupArn, priority: 1 }],
    },
  });
}

export function createFirewalls(
  scope: Construct,
  vpc: Vpc,
  to: External,
  encryptionKey: IKey,
): readonly ZoneFirewall[] {
  const policy = createPolicy(scope, vpc, to);
  const alerts = new LogGroup(scope, 'FirewallAlerts', {
    encryptionKey,
    retention: RetentionDays.ONE_YEAR,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  return subnetsOf(vpc, 'firewall').map(({ availabilityZone, subnetId }, zone) => {
    const firewall = new CfnFirewall(scope, `Firewall${zone}`, {
      firewallName: `${policy.firewallPolicyName}-${availabilityZone}`,
      firewallPolicyArn: policy.attrFirewallPolicyArn,
      vpcId: vpc.vpcId,
      subnetMappings: [{ subnetId }],
      deleteProtection: true,
      subnetChangeProtection: true,
      firewallPolicyChangeProtection: false,
    });
    new CfnLoggingConfiguration(scope, `FirewallLogs${zone}`, {
      firewallArn: firewall.attrFirewallArn,
      loggingConfiguration: {
        logDestinationConfigs: [
          {
            logType: 'ALERT',
            logDestinationType: 'CloudWatchLogs',
            logDestination: { logGroup: alerts.logGroupName },
          },
        ],
      },
    });
    // ZONE:ENDPOINT, of the only one.
    const endpointId = Fn.select(ENDPOINT_OF_ZONE, Fn.split(':', Fn.select(0, firewall.attrEndpointIds)));
    return { resource: firewall, endpointId };
  });
}
