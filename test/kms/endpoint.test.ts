/** The host of KMS by the AWS SDK's own rules, and the table of names that configuration is held against. */
import { KMSClient } from '@aws-sdk/client-kms';
import t from 'tap';
import { kmsHostFault, partitionOf } from '../../config/aws-names.ts';
import { regionalEndpoint } from '../../kms/endpoint.ts';

/** As AWS's documentation has them, by partition. */
const HOSTS = {
  'eu-central-1': 'kms.eu-central-1.amazonaws.com',
  'us-gov-west-1': 'kms.us-gov-west-1.amazonaws.com',
  'cn-north-1': 'kms.cn-north-1.amazonaws.com.cn',
  'cn-northwest-1': 'kms.cn-northwest-1.amazonaws.com.cn',
  'us-iso-east-1': 'kms.us-iso-east-1.c2s.ic.gov',
  'us-isob-east-1': 'kms.us-isob-east-1.sc2s.sgov.gov',
  'eu-isoe-west-1': 'kms.eu-isoe-west-1.cloud.adc-e.uk',
  'us-isof-south-1': 'kms.us-isof-south-1.csp.hci.ic.gov',
  'eusc-de-east-1': 'kms.eusc-de-east-1.amazonaws.eu',
  'mars-north-1': 'kms.mars-north-1.amazonaws.com',
};

t.test('finds KMS of every partition', async (t) => {
  for (const [region, host] of Object.entries(HOSTS)) t.equal(regionalEndpoint(region).href, `https://${host}/`);
});

t.test('finds no fault in any host that the SDK would use, and one in the hosts of other partitions', async (t) => {
  const client = new KMSClient({ region: 'us-east-1' });
  t.teardown(() => client.destroy());
  for (const region of Object.keys(HOSTS)) {
    for (const [UseFIPS, UseDualStack] of [
      [false, false],
      [false, true],
      [true, false],
      [true, true],
    ] as const) {
      const { hostname } = client.config.endpointProvider({ Region: region, UseFIPS, UseDualStack }).url;
      t.equal(kmsHostFault(hostname, region), undefined, hostname);
      const foreign = `kms.${region}.${partitionOf(region).name === 'aws-cn' ? 'amazonaws.com' : 'amazonaws.com.cn'}`;
      t.match(kmsHostFault(foreign, region), HOSTS[region as keyof typeof HOSTS], foreign);
    }
  }
});
