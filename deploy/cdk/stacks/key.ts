/**
 * The master key of the enclaves, with exactly the policy that `acra-enclave policy print` prints. A stack of its own, without bootstrap
 * roles: it is deployed with the credentials of `key.deployer`, and with nobody else's, because whoever changes this policy decides who
 * may decrypt. Everything else is deployed by others, who cannot.
 */
import { BootstraplessSynthesizer, CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { CfnAlias, CfnKey, CfnReplicaKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { KnownDeployment, KnownRegion } from '../config/read.ts';
import { printKeyPolicy } from '../key/print-policy.ts';
import { namesOf } from '../parts/names.ts';

/** The longest that there is: time to notice. */
const DELETION_DAYS = 30;

function createKey(scope: Construct, deployment: KnownDeployment, region: KnownRegion): CfnKey | CfnReplicaKey {
  const { key, name, regions } = deployment;
  const common = {
    keyPolicy: printKeyPolicy(deployment, region),
    description: `${name}: master key, opened by the measured enclave alone`,
    enabled: true,
    pendingWindowInDays: DELETION_DAYS,
  };
  if (region === regions[0] || key.arn === undefined)
    return new CfnKey(scope, 'MasterKey', { ...common, multiRegion: key.multiRegion, enableKeyRotation: true });
  return new CfnReplicaKey(scope, 'MasterKey', { ...common, primaryKeyArn: key.arn });
}

export class KeyStack extends Stack {
  constructor(scope: Construct, id: string, deployment: KnownDeployment, region: KnownRegion, props: StackProps) {
    super(scope, id, { ...props, synthesizer: new BootstraplessSynthesizer() });
    const key = createKey(this, deployment, region);
    key.applyRemovalPolicy(RemovalPolicy.RETAIN);
    new CfnAlias(this, 'Alias', { aliasName: namesOf(deployment, region.region).keyAlias, targetKeyId: key.ref });
    new CfnOutput(this, 'KeyArn', { value: key.attrArn });
  }
}
