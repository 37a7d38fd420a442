/**
 * The policy of the master key, word for word what `acra-enclave policy print` prints: there is no second place that knows how it reads.
 * Before there is an image the key opens for a measurement that nobody can show, so for nobody.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { DeployError } from '../../errors.ts';
import { parentRoleArn } from '../config/faults.ts';
import type { KnownDeployment, KnownRegion } from '../config/read.ts';

const COMMAND = fileURLToPath(new URL('../../../bin/acra-enclave', import.meta.url));
const NOBODY = fileURLToPath(new URL('./nobody.json', import.meta.url));

const policyDocument = z.looseObject({ Version: z.literal('2012-10-17'), Statement: z.array(z.looseObject({})) });
export type PolicyDocument = z.output<typeof policyDocument>;

function run(args: readonly string[]): PolicyDocument {
  const { status, stdout, stderr, error } = spawnSync(COMMAND, ['policy', 'print', ...args], { encoding: 'utf8' });
  if (status === 0) return policyDocument.parse(JSON.parse(stdout));
  throw new DeployError('CDK_POLICY', '`acra-enclave policy print` makes no policy of this deployment', {
    found: stderr.trim() || `exit code ${status}`,
    cause: error,
  });
}

/** Of `policy print` and `policy check` alike. */
export function policyOptions(deployment: KnownDeployment, region: KnownRegion): readonly string[] {
  const { key } = deployment;
  const image = region.knownImage;
  const each = (option: string, values: readonly string[]) => values.flatMap((value) => [option, value]);
  return [
    ...(image === undefined
      ? ['--measurements', NOBODY]
      : ['--measurements', image.measurementsFile, '--enclave', image.enclaveFolder]),
    ...each('--also', image?.alsoInPolicy ?? []),
    ...['--role-arn', parentRoleArn(deployment, region.region)],
    ...each('--administrator', [...new Set([key.deployer, ...key.administrators])]),
    ...each('--policy-administrator', [...new Set([key.deployer, ...key.policyAdministrators])]),
    ...(key.multiRegion && region === deployment.regions[0] ? ['--replicas'] : []),
  ];
}

/** @throws DeployError CDK_POLICY */
export function printKeyPolicy(deployment: KnownDeployment, region: KnownRegion): PolicyDocument {
  return run(policyOptions(deployment, region));
}

/** What the role of the parent instances may ask of KMS by itself: random bytes. @throws DeployError CDK_POLICY */
export function printRolePolicy(deployment: KnownDeployment, region: KnownRegion): PolicyDocument {
  return run([...policyOptions(deployment, region), '--iam']);
}
