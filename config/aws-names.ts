/**
 * Region, partition, host name and key ARN are spellings of one thing, so each is held against the others here, before
 * anybody dials. The table is that of the AWS SDK, whose endpoint rules (kms/endpoint.ts) are what is used in the end; a test
 * holds one against the other.
 * Specification: AWS General Reference, "Amazon Resource Names", "AWS service endpoints"; KMS developer guide,
 * "Multi-Region keys" and "Connecting through a VPC endpoint".
 */

export interface KeyArn {
  readonly partition: string;
  readonly region: string;
  /** 12 digits. */
  readonly account: string;
  /** Of a multi-Region key `mrk-…`: the same for the primary and its replicas. */
  readonly keyId: string;
}

interface Partition {
  readonly name: string;
  readonly regions: RegExp;
  readonly dnsSuffix: string;
  /** Of the hosts that also have IPv6 addresses. */
  readonly dualStackDnsSuffix: string;
}

const KEY_ARN = /^arn:(aws[a-z-]*):kms:([a-z0-9-]+):(\d{12}):key\/([A-Za-z0-9-]{1,64})$/;
export const REGION: RegExp = /^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/;
const MULTI_REGION = /^mrk-/;
/** `kms.REGION.…`, `kms-fips.REGION.…`, also behind the name of a VPC endpoint. */
const KMS_HOST = /^(?:(vpce-[a-z0-9-]+)\.)?(kms|kms-fips)\.([a-z]{2,}(?:-[a-z]+)+-\d{1,2})\.(.+)$/;

/** The first is what a region is taken for that nobody has heard of yet, as the SDK does. */
const PARTITIONS: readonly [Partition, ...Partition[]] = [
  {
    name: 'aws',
    regions: /^(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+$/,
    dnsSuffix: 'amazonaws.com',
    dualStackDnsSuffix: 'api.aws',
  },
  {
    name: 'aws-cn',
    regions: /^cn-\w+-\d+$/,
    dnsSuffix: 'amazonaws.com.cn',
    dualStackDnsSuffix: 'api.amazonwebservices.com.cn',
  },
  { name: 'aws-us-gov', regions: /^us-gov-\w+-\d+$/, dnsSuffix: 'amazonaws.com', dualStackDnsSuffix: 'api.aws' },
  {
    name: 'aws-eusc',
    regions: /^eusc-(de)-\w+-\d+$/,
    dnsSuffix: 'amazonaws.eu',
    dualStackDnsSuffix: 'api.amazonwebservices.eu',
  },
  { name: 'aws-iso', regions: /^us-iso-\w+-\d+$/, dnsSuffix: 'c2s.ic.gov', dualStackDnsSuffix: 'api.aws.ic.gov' },
  { name: 'aws-iso-b', regions: /^us-isob-\w+-\d+$/, dnsSuffix: 'sc2s.sgov.gov', dualStackDnsSuffix: 'api.aws.scloud' },
  {
    name: 'aws-iso-e',
    regions: /^eu-isoe-\w+-\d+$/,
    dnsSuffix: 'cloud.adc-e.uk',
    dualStackDnsSuffix: 'api.cloud-aws.adc-e.uk',
  },
  {
    name: 'aws-iso-f',
    regions: /^us-isof-\w+-\d+$/,
    dnsSuffix: 'csp.hci.ic.gov',
    dualStackDnsSuffix: 'api.aws.hci.ic.gov',
  },
];

/** undefined when it is no full key ARN. */
export function parseKeyArn(text: string): KeyArn | undefined {
  const [, partition, region, account, keyId] = KEY_ARN.exec(text) ?? [];
  if (partition === undefined || region === undefined || account === undefined || keyId === undefined) return undefined;
  return REGION.test(region) ? { partition, region, account, keyId } : undefined;
}

export function partitionOf(region: string): Partition {
  return PARTITIONS.find(({ regions }) => regions.test(region)) ?? PARTITIONS[0];
}

/**
 * Whether both name the same key material: the same ARN, or a multi-Region key and its replica in another region, which
 * open each other's ciphertexts.
 */
export function isSameKeyMaterial(one: string, other: string): boolean {
  if (one === other) return true;
  const [a, b] = [parseKeyArn(one), parseKeyArn(other)];
  if (a === undefined || b === undefined || !MULTI_REGION.test(a.keyId)) return false;
  return a.partition === b.partition && a.account === b.account && a.keyId === b.keyId;
}

/** Of a customer's machine, load balancer, endpoint service or API: what stands behind is their own. */
const CUSTOMERS_HOST = /(?:^|\.)(?:elb|compute|compute-\d|execute-api|vpce-svc-[a-z0-9]+)\./;

/** Under a domain that AWS gives its services. */
function isHostOfAws(host: string): boolean {
  const domains = PARTITIONS.flatMap(({ dnsSuffix, dualStackDnsSuffix }) => [dnsSuffix, dualStackDnsSuffix]);
  return domains.some((domain) => host === domain || host.endsWith(`.${domain}`)) && !CUSTOMERS_HOST.test(host);
}

/**
 * What is wrong with a host: it is AWS's and not KMS of a region, or KMS of another region than `region`, or in a domain that this
 * region does not have. undefined for a right one, and for hosts that do not claim to be AWS's.
 */
export function kmsHostFault(host: string, region?: string): string | undefined {
  const name = host.toLowerCase().replace(/\.$/, '');
  const [, vpcEndpoint, service, ofRegion, suffix] = KMS_HOST.exec(name) ?? [];
  if (service === undefined || ofRegion === undefined || suffix === undefined) {
    if (!isHostOfAws(name)) return undefined;
    const right = region === undefined ? 'kms.REGION.…' : `kms.${region}.${partitionOf(region).dnsSuffix}`;
    return `is a host of AWS, and not KMS of a region, which is ${right}`;
  }
  if (region !== undefined && ofRegion !== region) return `is KMS of ${ofRegion}, and the key is in ${region}`;
  const { dnsSuffix, dualStackDnsSuffix } = partitionOf(ofRegion);
  const allowed = vpcEndpoint === undefined ? [dnsSuffix, dualStackDnsSuffix] : [`vpce.${dnsSuffix}`];
  if (allowed.includes(suffix)) return undefined;
  const right = vpcEndpoint === undefined ? service : `${vpcEndpoint}.${service}`;
  return `is no host of AWS; KMS of ${ofRegion} is ${right}.${ofRegion}.${allowed[0]}`;
}
