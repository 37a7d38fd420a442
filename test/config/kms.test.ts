/** Region, key ARN and endpoint are spellings of one thing. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { stringify } from 'yaml';
import { enclaveSchema } from '../../config/enclave.ts';
import { ConfigError } from '../../config/errors.ts';
import { hostProxySchema } from '../../config/host-proxy.ts';
import { requireKms } from '../../config/kms.ts';
import { loadConfig } from '../../config/load.ts';
import { throwsCode } from '../support/coded-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ID = '1234abcd-12ab-34cd-56ef-1234567890ab';
const arn = (partition: string, region: string) => `arn:${partition}:kms:${region}:111122223333:key/${ID}`;

function load(t: TapTest, kms: object) {
  const file = join(temporaryFolder(t), 'enclave.yaml');
  const encryptionContext = { purpose: 'acra' };
  writeFileSync(
    file,
    stringify({
      version: 1,
      name: 'records',
      ingress: { tls: 'passthrough' },
      database: { serverName: 'db.internal' },
      kms: { encryptionContext, ...kms },
    }),
  );
  return requireKms(loadConfig(enclaveSchema, file));
}

const REGIONS = [
  ['aws', 'eu-central-1'],
  ['aws', 'ap-southeast-2'],
  ['aws', 'us-east-1'],
  ['aws-cn', 'cn-north-1'],
  ['aws-cn', 'cn-northwest-1'],
  ['aws-us-gov', 'us-gov-west-1'],
  ['aws-iso', 'us-iso-east-1'],
  ['aws-iso-b', 'us-isob-east-1'],
  ['aws-iso-e', 'eu-isoe-west-1'],
  ['aws-iso-f', 'us-isof-south-1'],
  ['aws-eusc', 'eusc-de-east-1'],
] as const;

t.test('takes the region from the key, in every partition', async (t) => {
  for (const [partition, region] of REGIONS) {
    t.equal(load(t, { keyArn: arn(partition, region) }).region, region);
    t.equal(load(t, { keyArn: arn(partition, region), region }).region, region);
  }
  t.equal(load(t, { keyArn: arn('aws', 'mars-north-1') }).region, 'mars-north-1', 'a region that is new');
});

t.test('keeps endpoints of the region, and those that are nobody we know', async (t) => {
  for (const [region, endpoint] of [
    ['eu-central-1', 'https://kms.eu-central-1.amazonaws.com'],
    ['eu-central-1', 'https://KMS.eu-central-1.amazonaws.com'],
    ['eu-central-1', 'https://kms-fips.eu-central-1.amazonaws.com'],
    ['eu-central-1', 'https://kms.eu-central-1.api.aws'],
    ['eu-central-1', 'https://vpce-0fe5b17a0707d6abc-29p5708s.kms.eu-central-1.vpce.amazonaws.com'],
    ['eu-central-1', 'https://kms.internal.example:8443'],
    ['eu-central-1', 'https://127.0.0.1:4566'],
    ['eu-central-1', 'https://[::1]:4566/'],
    ['eu-central-1', 'https://localhost'],
    ['eu-central-1', 'https://kms-0a1b.elb.eu-central-1.amazonaws.com'],
    ['eu-central-1', 'https://vpce-0a1b-x.vpce-svc-0a1b.eu-central-1.vpce.amazonaws.com'],
  ] as const) {
    t.equal(load(t, { keyArn: arn('aws', region), endpoint }).endpoint, endpoint);
  }
  const china = 'https://kms.cn-north-1.amazonaws.com.cn';
  t.equal(load(t, { keyArn: arn('aws-cn', 'cn-north-1'), endpoint: china }).endpoint, china);
});

const CONTRADICTIONS: readonly (readonly [what: string, kms: object, says: RegExp])[] = [
  [
    'a region that is not the key’s',
    { region: 'eu-central-1', keyArn: arn('aws', 'us-east-1') },
    /kms\.region: .*must be us-east-1/,
  ],
  ['a partition that does not have the region', { keyArn: arn('aws', 'cn-north-1') }, /kms\.keyArn: .*arn:aws-cn:/],
  ['a partition of another region', { keyArn: arn('aws-us-gov', 'us-east-1') }, /kms\.keyArn: .*arn:aws:/],
  [
    'an endpoint of another region',
    { keyArn: arn('aws', 'eu-central-1'), endpoint: 'https://kms.us-east-1.amazonaws.com' },
    /kms\.endpoint: .*is KMS of us-east-1/,
  ],
  [
    'a FIPS endpoint of another region',
    { keyArn: arn('aws-us-gov', 'us-gov-west-1'), endpoint: 'https://kms-fips.us-gov-east-1.amazonaws.com' },
    /kms\.endpoint: .*is KMS of us-gov-east-1/,
  ],
  [
    'the domain of another partition',
    { keyArn: arn('aws-cn', 'cn-north-1'), endpoint: 'https://kms.cn-north-1.amazonaws.com' },
    /kms\.endpoint: .*kms\.cn-north-1\.amazonaws\.com\.cn/,
  ],
  [
    'a VPC endpoint of another region',
    {
      keyArn: arn('aws', 'eu-central-1'),
      endpoint: 'https://vpce-0fe5b17a0707d6abc-29p5708s.kms.eu-west-1.vpce.amazonaws.com',
    },
    /kms\.endpoint: .*is KMS of eu-west-1/,
  ],
  ['an ARN of a region that cannot be', { keyArn: arn('aws', 'nowhere') }, /kms\.keyArn: .*full key ARN/],
  [
    'an endpoint that is no URL, and nothing else',
    { keyArn: arn('aws', 'eu-central-1'), endpoint: 'kms.us-east-1.amazonaws.com' },
    /kms\.endpoint: .*https:/,
  ],
];

for (const endpoint of [
  'https://sts.us-east-1.amazonaws.com',
  'https://s3.eu-central-1.amazonaws.com',
  'https://kms.amazonaws.com',
  'https://KMS.amazonaws.com.',
  'https://eu-central-1.kms.amazonaws.com',
  'https://kms.eu-central-1.amazonaws.com.amazonaws.com.cn',
  'https://vpce-0a1b.sts.eu-central-1.vpce.amazonaws.com',
  'https://kms-fips.amazonaws.com',
  'https://amazonaws.com',
  'https://kms.api.aws',
])
  t.test(`rejects a host of AWS that is not KMS of a region: ${endpoint} (CONFIG_INVALID)`, async (t) => {
    const { message } = throwsCode(
      () => load(t, { keyArn: arn('aws', 'eu-central-1'), endpoint }),
      ConfigError,
      'CONFIG_INVALID',
    );
    t.match(message, /kms\.endpoint: .*kms\.eu-central-1\.amazonaws\.com/);
  });

for (const endpoint of [
  'https://*.vpce-0a1b.kms.us-east-1.vpce.amazonaws.com',
  'https://*.internal.example',
  'https://kms.eu-central-1.amazonaws.com/path',
  'https://kms.eu-central-1.amazonaws.com//',
  'https://kms.eu-central-1.amazonaws.com?x=1',
  'https://kms.eu-central-1.amazonaws.com/?',
  'https://kms.eu-central-1.amazonaws.com#part',
  'https://user:pw@kms.eu-central-1.amazonaws.com',
  'https://user@kms.eu-central-1.amazonaws.com',
  'https://@kms.eu-central-1.amazonaws.com',
  'https://kms.eu-central-1.amazonaws.com:0',
  'https://a..b',
  'https://224.0.0.1',
])
  t.test(`rejects an endpoint that is more or less than a host: ${endpoint} (CONFIG_INVALID)`, async (t) => {
    const { message } = throwsCode(
      () => load(t, { keyArn: arn('aws', 'eu-central-1'), endpoint }),
      ConfigError,
      'CONFIG_INVALID',
    );
    t.match(message, /kms\.endpoint: .*https:\/\/HOST/);
  });

for (const [what, kms, says] of CONTRADICTIONS) {
  t.test(`rejects ${what} (CONFIG_INVALID)`, async (t) => {
    t.match(throwsCode(() => load(t, kms), ConfigError, 'CONFIG_INVALID').message, says);
  });
}

t.test('rejects a kms.connect that AWS does not have (CONFIG_INVALID)', async (t) => {
  const file = join(temporaryFolder(t), 'host-proxy.yaml');
  const write = (host: string) =>
    writeFileSync(
      file,
      stringify({
        version: 1,
        enclave: { transport: 'vsock', cid: 16 },
        database: { connect: 'tcp://db:5432' },
        kms: { connect: `tcp://${host}:443` },
      }),
    );
  write('kms.cn-north-1.amazonaws.com');
  const { message } = throwsCode(() => loadConfig(hostProxySchema, file), ConfigError, 'CONFIG_INVALID');
  t.match(message, /kms\.connect: .*kms\.cn-north-1\.amazonaws\.com\.cn/);
  for (const host of ['kms.cn-north-1.amazonaws.com.cn', 'kms.proxy.internal', '10.0.0.7']) {
    write(host);
    t.match(loadConfig(hostProxySchema, file).kms?.connect, { host });
  }
});

for (const [what, connect, says] of [
  ['port 0', 'tcp://db:0', /port from 1/],
  ['a host of AWS that is not KMS', 'tcp://sts.us-east-1.amazonaws.com:443', /not KMS of a region/],
  ['an address that is none', 'tcp://999.1.1.1:443', /IPv4 address/],
  ['an address of many hosts', 'tcp://[ff02::1]:443', /multicast/],
] as const)
  t.test(`rejects to connect to ${what} (CONFIG_INVALID)`, async (t) => {
    const file = join(temporaryFolder(t), 'host-proxy.yaml');
    const enclave = { transport: 'vsock', cid: 16 };
    const database = { connect: 'tcp://db:5432' };
    writeFileSync(file, stringify({ version: 1, enclave, database, kms: { connect } }));
    t.match(throwsCode(() => loadConfig(hostProxySchema, file), ConfigError, 'CONFIG_INVALID').message, says);
  });
