/**
 * The role of the parent instances. The enclave asks KMS in its name, and whoever has root on a parent has it too: so it may ask KMS for
 * random bytes and nothing else by itself; what it may decrypt is said by the key's policy alone, under the measurements of the image.
 *
 * It stands in the first stack, because a key policy cannot name a role that is not there.
 */
import { Validations } from 'aws-cdk-lib';
import { CfnInstanceProfile, PolicyDocument, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { parentRoleArn } from '../config/faults.ts';
import type { KnownDeployment, KnownRegion } from '../config/read.ts';
import { printRolePolicy } from '../key/print-policy.ts';

const NAME_IN_ARN = /[^/]+$/;

export interface ParentRole {
  readonly role: Role;
  /** As the key policy names it. */
  readonly arn: string;
  readonly instanceProfileArn: string;
}

export function createParentRole(scope: Construct, deployment: KnownDeployment, region: KnownRegion): ParentRole {
  const arn = parentRoleArn(deployment, region.region);
  const [roleName = ''] = NAME_IN_ARN.exec(arn) ?? [];
  const role = new Role(scope, 'Parent', {
    roleName,
    assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
    description: 'Parent instances of enclaves; decrypts nothing without an enclave',
    inlinePolicies: { kms: PolicyDocument.fromJson(printRolePolicy(deployment, region)) },
  });
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'kms:GenerateRandom concerns no key and takes no resource; random bytes are no secret of the account.',
  });
  const profile = new CfnInstanceProfile(scope, 'ParentProfile', { roles: [role.roleName] });
  return { role, arn, instanceProfileArn: profile.attrArn };
}
