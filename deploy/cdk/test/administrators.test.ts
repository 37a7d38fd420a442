/** Who makes users and tables in a managed database comes by the transit gateway, from where deployment.yaml says, and nobody does without it. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import t, { type Test } from 'tap';
import { ConfigError } from '../../../config/errors.ts';
import { rejectsCode } from '../../../test/support/coded-error.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { readDeployment } from '../config/read.ts';
import { addDeployment } from '../stacks/deployment.ts';
import { at, list } from './support/look.ts';
import { APP } from './support/synthesized.ts';

const { context } = JSON.parse(readFileSync(join(APP, 'cdk.json'), 'utf8'));
const NETWORK = '10.7.7.0/28';

/** The example with a database in three zones. */
function deploymentFile(t: Test, { from = `[${NETWORK}]`, routedBy = true } = {}): string {
  const folder = temporaryFolder(t);
  cpSync(join(APP, 'examples'), folder, { recursive: true });
  const file = join(folder, 'multi-az.yaml');
  const text = readFileSync(file, 'utf8').replace(/instanceClass: .*/, `$&\n      administeredFrom: ${from}`);
  writeFileSync(file, routedBy ? text : text.replace(/\n {6}routedBy: .*/, ''));
  return file;
}

t.test('lets administrators reach the database’s port from their networks, and has the way back', async (t) => {
  const app = new App({ context, outdir: temporaryFolder(t) });
  addDeployment(app, readDeployment(deploymentFile(t)));
  const { template } = app.synth().getStackByName('acra-eu-central-1-foundation');
  const resources = Object.entries(at(template, 'Resources') as Record<string, Record<string, unknown>>);
  const [group] = resources.filter(([id]) => id.startsWith('DatabaseGroup')).map(([, { Properties }]) => Properties);
  t.match(list(at(group, 'SecurityGroupIngress')), [
    { CidrIp: NETWORK, FromPort: 5433, ToPort: 5433, IpProtocol: 'tcp' },
  ]);
  const ways = resources.flatMap(([id, { Type, Properties }]) =>
    Type === 'AWS::EC2::Route' && at(Properties, 'DestinationCidrBlock') === NETWORK ? [{ id, Properties }] : [],
  );
  t.equal(ways.length, 3, 'from each zone');
  for (const { Properties } of ways) {
    t.match(JSON.stringify(at(Properties, 'RouteTableId')), /database/i);
    t.equal(at(Properties, 'TransitGatewayId'), 'tgw-0123456789abcdef0');
  }
});

for (const [what, options, told] of [
  ['administrators without a way to them', { routedBy: false }, /administeredFrom: .*needs clients\.routedBy/],
  ['administrators of everywhere', { from: '[0.0.0.0/0]' }, /administeredFrom\.0: .*everywhere/],
  ['administrators in the VPC’s own networks', { from: '[10.20.1.0/28]' }, /administeredFrom\.0: .*network\.cidr/],
] as const)
  t.test(`rejects ${what} (CONFIG_INVALID)`, async (t) => {
    const file = deploymentFile(t, options);
    const error = await rejectsCode(async () => readDeployment(file), ConfigError, 'CONFIG_INVALID');
    t.match(error.message, told);
  });
