/** The key policy is the one that `policy print` prints, and whoever deploys the rest has no part in it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { policyOptions } from '../../key/print-policy.ts';
import { at, list, stringsIn } from '../support/look.ts';
import { APP, type Synthesized } from '../support/synthesized.ts';
import type { Requirement } from './requirement.ts';

const COMMAND = join(APP, '../../bin/acra-enclave');

function run(args: readonly string[]) {
  return spawnSync(COMMAND, ['policy', ...args], { encoding: 'utf8' });
}

function masterKeys({ deployment, resources }: Synthesized) {
  return deployment.regions.map((region) => {
    const key = resources.find(({ stack, id }) => stack === `acra-${region.region}-key` && id === 'MasterKey');
    return { region, type: key?.type, policy: key?.properties['KeyPolicy'], properties: key?.properties ?? {} };
  });
}

export const KEYS: readonly Requirement[] = [
  {
    name: 'gives the master key exactly the policy that `policy print` prints',
    check: (t, made) => {
      for (const { region, policy } of masterKeys(made)) {
        const { stdout, status } = run(['print', ...policyOptions(made.deployment, region)]);
        t.equal(status, 0);
        t.same(policy, JSON.parse(stdout));
        t.ok(list(at(policy, 'Statement')).length >= 6);
      }
    },
  },
  {
    name: 'gives it a policy in which `policy check` finds nothing',
    check: (t, made) => {
      const folder = mkdtempSync(join(tmpdir(), 'ae-cdk-policy-'));
      t.teardown(() => rmSync(folder, { recursive: true, force: true }));
      for (const { region, policy } of masterKeys(made)) {
        const file = join(folder, `${region.region}.json`);
        writeFileSync(file, JSON.stringify(policy));
        const { status, stdout, stderr } = run(['check', '--policy', file, ...policyOptions(made.deployment, region)]);
        t.equal(status, 0, `${stdout}${stderr}`);
      }
    },
  },
  {
    name: 'names in it neither the account nor the role that CloudFormation has for everything else',
    check: (t, made) => {
      for (const { policy } of masterKeys(made)) {
        const named = list(at(policy, 'Statement'))
          .filter((each) => each['Effect'] === 'Allow')
          .flatMap((each) => stringsIn(each['Principal']));
        t.ok(named.length > 0);
        t.same(
          named.filter((arn) => /:root$|cdk-/.test(arn) || arn === '*'),
          [],
        );
      }
    },
  },
  {
    name: 'deploys the key by the credentials of its deployer alone',
    check: (t, made) => {
      for (const { region } of made.deployment.regions) {
        const template = made.templates.get(`acra-${region}-key`);
        t.notOk(at(template, 'Rules'), 'no bootstrap is looked for');
        t.notOk(at(template, 'Parameters'));
      }
    },
  },
  {
    name: 'replicates a multi-Region key to the other regions, under their own policies, and deletes none',
    check: (t, made) => {
      const { key } = made.deployment;
      for (const [index, { type, properties, region }] of masterKeys(made).entries()) {
        t.equal(type, index === 0 ? 'AWS::KMS::Key' : 'AWS::KMS::ReplicaKey', region.region);
        if (index === 0) t.equal(properties['MultiRegion'], key.multiRegion);
        else t.equal(properties['PrimaryKeyArn'], key.arn);
        t.equal(properties['PendingWindowInDays'], 30);
        t.equal(stringsIn(properties['KeyPolicy']).includes('kms:ReplicateKey'), index === 0 && key.multiRegion);
        const other = made.deployment.regions.find((each) => each !== region)?.region;
        if (other !== undefined) t.notOk(stringsIn(properties['KeyPolicy']).some((text) => text.includes(other)));
      }
    },
  },
];
