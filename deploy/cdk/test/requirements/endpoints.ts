/** AWS is reached by endpoints, and each lets through what it is there for. */
import { at, list, ofType, stringsIn, textOf } from '../support/look.ts';
import type { Requirement } from './requirement.ts';

const NEEDED = ['kms', 'sts', 'logs', 'monitoring', 'ecr.api', 'ecr.dkr', 'autoscaling', 's3'];

const serviceOf = (properties: object, region: string) =>
  textOf(at(properties, 'ServiceName'), region).replace(`com.amazonaws.${region}.`, '');

export const ENDPOINTS: readonly Requirement[] = [
  {
    name: 'has an endpoint for each service that instances need, with its private name',
    check: (t, made) => {
      for (const { region } of made.deployment.regions) {
        const ofRegion = ofType(made, 'AWS::EC2::VPCEndpoint').filter(({ stack }) => stack.includes(region));
        const services = ofRegion.map(({ properties }) => serviceOf(properties, region));
        t.same(
          NEEDED.filter((service) => !services.includes(service)),
          [],
          region,
        );
        for (const { properties } of ofRegion)
          if (properties['VpcEndpointType'] === 'Interface') t.equal(properties['PrivateDnsEnabled'], true);
      }
    },
  },
  {
    name: 'lets the parents’ role alone ask KMS, for what an enclave asks',
    check: (t, made) => {
      for (const { region } of made.deployment.regions) {
        const kms = ofType(made, 'AWS::EC2::VPCEndpoint').filter(
          ({ stack, properties }) => stack.includes(region) && serviceOf(properties, region) === 'kms',
        );
        t.equal(kms.length, 1);
        t.same(at(kms[0]?.properties, 'PolicyDocument', 'Statement'), [
          {
            Effect: 'Allow',
            Principal: { AWS: '*' },
            Action: ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:GenerateRandom'],
            Resource: '*',
            Condition: {
              ArnEquals: { 'aws:PrincipalArn': `arn:aws:iam::111122223333:role/acra-parent-${region}` },
            },
          },
        ]);
      }
    },
  },
  {
    name: 'lets nobody of another account through an endpoint; of S3 only reading, and what strangers may read is public',
    check: (t, made) => {
      for (const { id, properties } of ofType(made, 'AWS::EC2::VPCEndpoint'))
        for (const statement of list(at(properties, 'PolicyDocument', 'Statement'))) {
          if (statement['Condition'] !== undefined) continue;
          t.match(id, /^VpcS3/);
          t.equal(statement['Action'], 's3:GetObject');
          for (const resource of stringsIn(statement['Resource']))
            t.match(resource, /:::(?:al2023-repos|ec2imagebuilder-toe|ec2imagebuilder-managed-resources)-/);
        }
    },
  },
];
