/** Parent instances: what they are, how they come and go, and how little their role may. */
import { parse } from 'yaml';
import { hostProxySchema } from '../../../../config/host-proxy.ts';
import { at, attributesOf, list, ofType, stringsIn, textOf, userDataOf } from '../support/look.ts';
import type { Requirement } from './requirement.ts';

/** All that the role of the parents may. */
const MAY = [
  'autoscaling:CompleteLifecycleAction',
  'kms:GenerateRandom',
  'logs:CreateLogStream',
  'logs:DescribeLogStreams',
  'logs:PutLogEvents',
];

/** The file as the instance writes it. */
function hostProxyOf(userData: string): unknown {
  const [, text = ''] = /host-proxy\.yaml <<'END-OF-FILE'\n([\s\S]*?)END-OF-FILE\n/.exec(userData) ?? [];
  return parse(text.replaceAll('@OWN_ADDRESS@', '10.20.0.70'));
}

export const FLEET: readonly Requirement[] = [
  {
    name: 'runs parents with enclaves, IMDSv2 with hop limit 1, encrypted disks and the tenancy that was asked for',
    check: (t, made) => {
      const templates = ofType(made, 'AWS::EC2::LaunchTemplate');
      t.equal(templates.length, made.deployment.regions.length);
      for (const { properties, stack } of templates) {
        const { fleet } = made.deployment.regions.find(({ region }) => stack.includes(region))!;
        t.match(properties['LaunchTemplateData'], {
          InstanceType: fleet.instanceType,
          EnclaveOptions: { Enabled: true },
          MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1, HttpEndpoint: 'enabled' },
          Placement: { Tenancy: fleet.tenancy },
        });
        for (const disk of list(at(properties, 'LaunchTemplateData', 'BlockDeviceMappings')))
          t.equal(at(disk, 'Ebs', 'Encrypted'), true);
      }
    },
  },
  {
    name: 'starts the new before the old ends, lets it in when it serves, and lets the old go when sessions have ended',
    check: (t, made) => {
      for (const { properties, stack } of ofType(made, 'AWS::AutoScaling::AutoScalingGroup')) {
        const { fleet, zones } = made.deployment.regions.find(({ region }) => stack.includes(region))!;
        t.same(properties['InstanceMaintenancePolicy'], { MinHealthyPercentage: 100, MaxHealthyPercentage: 200 });
        t.equal(list(properties['VPCZoneIdentifier']).length, zones.length);
        const [launch, terminate] = list(properties['LifecycleHookSpecificationList']);
        t.match(launch, { LifecycleTransition: /LAUNCHING$/, DefaultResult: 'ABANDON' });
        t.match(terminate, { LifecycleTransition: /TERMINATING$/, DefaultResult: 'CONTINUE' });
        t.ok(Number(terminate?.['HeartbeatTimeout']) > fleet.drainSeconds + 90, 'longer than systemd waits');
        t.equal(properties['HealthCheckType'], 'EC2', 'not by a database that is away');
      }
    },
  },
  {
    name: 'lets the parents’ role do nothing but its own life cycle, logs and random bytes',
    check: (t, made) => {
      const inline = ofType(made, 'AWS::IAM::Role')
        .filter(({ properties }) => String(properties['RoleName']).includes('-parent-'))
        .flatMap(({ properties }) => {
          t.notOk(properties['ManagedPolicyArns'], 'no policy of AWS’s');
          return list(properties['Policies']).flatMap((policy) => list(at(policy, 'PolicyDocument', 'Statement')));
        });
      const attached = ofType(made, 'AWS::IAM::ManagedPolicy').flatMap(({ properties }) =>
        list(at(properties, 'PolicyDocument', 'Statement')),
      );
      t.same(
        ofType(made, 'AWS::IAM::Policy').filter(({ properties }) =>
          stringsIn(properties['Roles']).some((role) => /parent/i.test(role)),
        ),
        [],
      );
      const actions = [...inline, ...attached].flatMap(({ Action }) => stringsIn([Action]));
      t.same([...new Set(actions)].toSorted(), MAY);
      for (const { Action, Resource } of [...inline, ...attached])
        t.equal(Resource === '*', Action === 'kms:GenerateRandom', String(Action));
    },
  },
  {
    name: 'writes a host-proxy.yaml that is valid, told from whom to believe PROXY headers, and nothing to the network but both ports',
    check: (t, made) => {
      for (const template of ofType(made, 'AWS::EC2::LaunchTemplate')) {
        const { region, fleet, database } = made.deployment.regions.find(({ region }) =>
          template.stack.includes(region),
        )!;
        const config = hostProxySchema.parse(hostProxyOf(userDataOf(template)));
        const balancers = ofType(made, 'AWS::EC2::Subnet')
          .filter(({ stack, id }) => stack.includes(region) && /balancer/i.test(id))
          .map(({ properties }) => properties['CidrBlock']);
        t.match(config, {
          admin: { listen: { host: '127.0.0.1' } },
          health: { listen: { host: '10.20.0.70', port: 9466 } },
          ingress: { listen: { host: '10.20.0.70', port: 5432 }, proxyProtocol: { from: balancers } },
          database: { connect: { port: database.port } },
          kms: { connect: { host: `kms.${region}.amazonaws.com`, port: 443 } },
          drainMs: fleet.drainSeconds * 1_000,
        });
        t.ok((config.enclave.run?.stopGraceMs ?? 0) > config.drainMs);
        t.notMatch(userDataOf(template), /secret|password|BEGIN/i);
      }
    },
  },
  {
    name: 'passes TCP at the balancer, says whose it is by the PROXY header, and asks /readyz',
    check: (t, made) => {
      const groups = ofType(made, 'AWS::ElasticLoadBalancingV2::TargetGroup');
      t.equal(groups.length, made.deployment.regions.length);
      for (const { properties, stack } of groups) {
        const { fleet } = made.deployment.regions.find(({ region }) => stack.includes(region))!;
        t.match(properties, {
          Protocol: 'TCP',
          TargetType: 'instance',
          HealthCheckProtocol: 'HTTP',
          HealthCheckPort: '9466',
          HealthCheckPath: '/readyz',
        });
        t.match(attributesOf(properties['TargetGroupAttributes']), {
          'proxy_protocol_v2.enabled': 'true',
          'preserve_client_ip.enabled': 'false',
          'deregistration_delay.timeout_seconds': String(fleet.drainSeconds),
        });
      }
      for (const { properties } of ofType(made, 'AWS::ElasticLoadBalancingV2::Listener'))
        t.equal(properties['Protocol'], 'TCP', 'TLS ends in the enclave');
    },
  },
  {
    name: 'lets whoever makes the machine image read both artifacts, what Image Builder brings along, and nothing else',
    check: (t, made) => {
      const builders = ofType(made, 'AWS::IAM::Role').filter(({ id }) => id.startsWith('Builder'));
      t.equal(builders.length, made.deployment.regions.length);
      for (const { properties, stack } of builders) {
        const { region } = made.deployment.regions.find((each) => stack.includes(each.region))!;
        const statements = list(properties['Policies']).flatMap((policy) =>
          list(at(policy, 'PolicyDocument', 'Statement')),
        );
        const read = statements.filter(({ Action }) => stringsIn([Action]).includes('s3:GetObject'));
        const resources = read.flatMap(({ Resource }) => (Array.isArray(Resource) ? Resource : [Resource]));
        const open = resources.filter((each) => textOf(each).endsWith('*'));
        t.same(open.toSorted(), [
          `arn:aws:s3:::ec2imagebuilder-managed-resources-${region}-prod/components/*`,
          `arn:aws:s3:::ec2imagebuilder-toe-${region}-prod/*`,
        ]);
        t.equal(resources.length, open.length + 2);
      }
    },
  },
  {
    name: 'makes the machine image of what has the digests that were measured, and checks them',
    check: (t, made) => {
      const components = ofType(made, 'AWS::ImageBuilder::Component');
      t.equal(components.length, made.deployment.regions.length);
      for (const { properties, stack } of components) {
        const { knownImage } = made.deployment.regions.find(({ region }) => stack.includes(region))!;
        const text = textOf(properties['Data']);
        for (const digest of [knownImage!.eifSha256, knownImage!.releaseSha256])
          t.match(text, new RegExp(`s3://[^\\n]+/${digest}\\.`));
        t.match(text, `${knownImage!.releaseSha256} /tmp/acra-enclave/release.tar.gz ${knownImage!.eifSha256}`);
        t.match(text, 'sha256sum --strict --check');
        t.ok(text.length <= 16_000, 'as long as Image Builder takes');
      }
      for (const { properties } of ofType(made, 'AWS::ImageBuilder::InfrastructureConfiguration'))
        t.match(properties['InstanceMetadataOptions'], { HttpTokens: 'required', HttpPutResponseHopLimit: 1 });
      for (const { properties } of ofType(made, 'AWS::ImageBuilder::ImageRecipe'))
        t.equal(at(properties, 'BlockDeviceMappings', 0, 'Ebs', 'Encrypted'), true);
    },
  },
];
