/** deployment.yaml: every mistake is told with its path and what is allowed, before anything is made. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ConfigError } from '../../../config/errors.ts';
import { rejectsCode } from '../../../test/support/coded-error.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { DeployError } from '../../errors.ts';
import { INSTANCE_TYPES, parentMachine } from '../config/instance-types.ts';
import { readDeployment } from '../config/read.ts';
import { APP, EXAMPLES, exampleFile } from './support/synthesized.ts';

/** An example, with a text in it replaced. */
function changed(t: Test, example: string, from: string | RegExp, to: string): string {
  const folder = temporaryFolder(t);
  cpSync(join(APP, 'examples'), folder, { recursive: true });
  const file = join(folder, `${example}.yaml`);
  const text = readFileSync(file, 'utf8');
  const other = text.replace(from, to);
  t.not(other, text, `${from} is there`);
  writeFileSync(file, other);
  return file;
}

for (const example of EXAMPLES)
  t.test(`takes the example ${example}`, async (t) => {
    const { regions } = readDeployment(exampleFile(example));
    for (const { knownImage } of regions) t.match(knownImage?.eifSha256, /^[0-9a-f]{64}$/);
  });

const REFUSED: readonly (readonly [string, string, string | RegExp, string, RegExp])[] = [
  ['an account without quotes', 'multi-az', '"111122223333"', '111122223333', /account: .*must be text/],
  ['a name that no bucket can have', 'multi-az', 'name: acra', 'name: Acra_Prod', /name: .*lower-case letters/],
  [
    'a key that is nothing of ours',
    'multi-az',
    'kind: rds',
    'kind: rds\n      publicAccess: true',
    /unknown key "publicAccess"/,
  ],
  ['the account as deployer', 'multi-az', 'role/acra-key-ceremony', 'root', /key\.deployer: .*not the account/],
  [
    'the parents’ role as deployer',
    'multi-az',
    'role/acra-key-ceremony',
    'role/acra-parent-eu-central-1',
    /key\.deployer: .*whoever has root there has it/,
  ],
  [
    'the parents’ role as administrator',
    'multi-az',
    'role/acra-key-care',
    'role/acra-parent-eu-central-1',
    /key\.administrators: .*whoever has root there/,
  ],
  ['an alias in the place of a key', 'multi-az', /key\/1234[^ \n]+/, 'alias/acra', /key\.arn: .*no alias/],
  [
    'a key of another account',
    'multi-az',
    'eu-central-1:111122223333:key',
    'eu-central-1:444455556666:key',
    /must be a key of account 111122223333/,
  ],
  [
    'a zone of another region',
    'multi-az',
    'eu-central-1b,',
    'eu-west-1b,',
    /zones\.1: .*must be a zone of eu-central-1/,
  ],
  [
    'a managed database in one zone',
    'multi-az',
    '[eu-central-1a, eu-central-1b, eu-central-1c]',
    '[eu-central-1a]',
    /at least two zones/,
  ],
  ['a network with bits of a host', 'multi-az', '10.20.0.0/20', '10.20.0.1/20', /network\.cidr: /],
  ['a VPC too small for its subnets', 'multi-az', '10.20.0.0/20', '10.20.0.0/24', /\/16 to \/20/],
  ['fewer instances than zones', 'multi-az', 'minInstances: 3', 'minInstances: 2', /one instance in each zone/],
  [
    'no room for a new instance beside the old',
    'multi-az',
    'maxInstances: 6',
    'maxInstances: 3',
    /starts beside the old one/,
  ],
  [
    'an instance that cannot be a parent',
    'multi-az',
    'fleet:',
    'fleet:\n      instanceType: t3.large',
    /must be one of: c6a\.xlarge/,
  ],
  ['half a core', 'multi-az', 'fleet:', 'fleet:\n      enclaveCpus: 1', /must be even/],
  ['the parent’s own core', 'multi-az', 'fleet:', 'fleet:\n      enclaveCpus: 4', /at most 2 of the 4/],
  ['the parent’s own memory', 'multi-az', 'fleet:', 'fleet:\n      enclaveMemoryMiB: 7000', /at most 6144/],
  [
    'several regions without a multi-Region key',
    'multi-region',
    'multiRegion: true',
    'multiRegion: false',
    /must be true where there are several regions/,
  ],
  ['one region twice', 'multi-region', /eu-west-1/g, 'eu-central-1', /must name each region once/],
  ['an image before its key is made', 'multi-az', /\n {2}arn: [^\n]+/, '', /enclave\.yaml names the key/],
  [
    'a zone whose name only begins as the region',
    'multi-az',
    'eu-central-1c]',
    'eu-central-12c]',
    /zones\.2: .*must be a zone/,
  ],
  [
    'a deployer of another account',
    'multi-az',
    '111122223333:role/acra-key-c',
    '444455556666:role/acra-key-c',
    /deployer: .*must be of account/,
  ],
  [
    'an administrator of another partition',
    'multi-az',
    /arn:aws:(?=iam::\d+:role\/acra-key-care)/,
    'arn:aws-cn:',
    /administrators: .*must be of partition aws,/,
  ],
  ['clients of everywhere', 'multi-az', '10.1.0.0/16', '0.0.0.0/0', /clients\.networks\.1: .*everywhere/],
  ['clients of half of everywhere', 'multi-az', '10.1.0.0/16', '128.0.0.0/1', /clients\.networks\.1: .*everywhere/],
  ['a database everywhere', 'single-zone', '10.90.0.0/24', '0.0.0.0/0', /database\.networks\.0: .*everywhere/],
  [
    'a database in the VPC’s own networks',
    'single-zone',
    '10.90.0.0/24',
    '10.20.1.0/24',
    /must not lie in network\.cidr/,
  ],
  ['clients in the VPC’s own networks', 'multi-az', '10.1.0.0/16', '10.20.0.0/20', /must not lie in network\.cidr/],
  ['one network of clients twice', 'multi-az', '10.1.0.0/16', '10.0.0.0/16', /must name each network once/],
  [
    'an address in the place of the database’s name',
    'single-zone',
    'db.records.example.org',
    '10.90.0.5',
    /database\.host: .*not an address/,
  ],
  ['a database elsewhere without a way to it', 'single-zone', /\n {6}transitGateway: [^\n]+/, '', /transitGateway: /],
];

for (const [name, example, from, to, told] of REFUSED)
  t.test(`rejects ${name} (CONFIG_INVALID)`, async (t) => {
    const file = changed(t, example, from, to);
    const error = await rejectsCode(async () => readDeployment(file), ConfigError, 'CONFIG_INVALID');
    t.match(error.message, told);
  });

t.test('takes clients whose network holds the VPC’s own', async (t) => {
  t.ok(readDeployment(changed(t, 'multi-az', '10.1.0.0/16', '10.0.0.0/8')));
});

t.test('rejects an image for another key than the deployment has there (CDK_IMAGE_KEY)', async (t) => {
  const other = changed(
    t,
    'multi-az',
    'enclave: images/multi-az/enclave',
    'enclave: images/multi-region-dublin/enclave',
  );
  const error = await rejectsCode(async () => readDeployment(other), DeployError, 'CDK_IMAGE_KEY');
  t.match(String(error.message), /another key/);
});

t.test(
  'rejects measurements of another region’s image by its key, for enclave.yaml names the replica (CDK_IMAGE_KEY)',
  async (t) => {
    const file = changed(
      t,
      'multi-region',
      'images/multi-region-dublin/enclave',
      'images/multi-region-frankfurt/enclave',
    );
    await rejectsCode(async () => readDeployment(file), DeployError, 'CDK_IMAGE_KEY');
  },
);

t.test('rejects measurements that do not say which image they are of (CDK_MEASUREMENTS)', async (t) => {
  for (const name of ['deployment.yaml', 'images/none.json', 'key/nobody.json'])
    await rejectsCode(
      async () => readDeployment(changed(t, 'multi-az', 'images/multi-az/measurements.json', join(APP, name))),
      DeployError,
      'CDK_MEASUREMENTS',
    );
});

t.test(
  'rejects Graviton for an image that was built for x86_64, and says how one is built (CDK_IMAGE_PROCESSOR)',
  async (t) => {
    const file = changed(t, 'multi-az', 'fleet:', 'fleet:\n      instanceType: c6g.xlarge');
    const error = await rejectsCode(async () => readDeployment(file), DeployError, 'CDK_IMAGE_PROCESSOR');
    t.match(JSON.stringify(error), /aws-blobs/);
  },
);

t.test('takes Graviton for an image with the loader of aarch64', async (t) => {
  const file = changed(t, 'multi-az', 'fleet:', 'fleet:\n      instanceType: c6g.xlarge');
  const measurements = join(file, '../images/multi-az/measurements.json');
  const text = readFileSync(measurements, 'utf8');
  writeFileSync(
    measurements,
    text.replace('/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2', '/lib/ld-linux-aarch64.so.1'),
  );
  t.ok(readDeployment(file).regions[0]?.knownImage);
});

t.test('knows of each instance type what it has, four vCPUs at least', async (t) => {
  for (const type of INSTANCE_TYPES) {
    const machine = parentMachine(type);
    t.ok((machine?.vcpus ?? 0) >= 4, type);
    t.equal(machine?.threadsPerCore, /^..g\./.test(type) ? 1 : 2, type);
  }
  t.equal(parentMachine('c6a.large'), undefined);
});
