/**
 * `kmsProxy` of enclave.yaml with `workload: app`: KMS for programs that know nothing of enclaves. Requests are signed anew with the
 * enclave's credentials and carry its attestation document; keys and actions that are not named here are refused inside.
 */
import { z } from 'zod';
import { kmsHostFault, parseKeyArn, partitionOf, REGION } from '../aws-names.ts';
import { count, durationMs, fileInFolder } from '../fields.ts';
import { KMS_ROUTES } from '../key-keeper.ts';
import { kmsEndpoint, kmsKeyArn } from '../kms.ts';
import { loopbackAddress } from './loopback.ts';

const MAX_RULES = 100;

/** Those whose answers are for the enclave alone (Recipient). */
export const ATTESTED_ACTIONS = [
  'Decrypt',
  'DeriveSharedSecret',
  'GenerateDataKey',
  'GenerateDataKeyPair',
  'GenerateRandom',
] as const;
/** Those that go on as they are, signed anew. */
export const FORWARDED_ACTIONS = [
  'DescribeKey',
  'Encrypt',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateMac',
  'GetPublicKey',
  'ReEncrypt',
  'Sign',
  'Verify',
  'VerifyMac',
] as const;

/** GenerateRandom names no key: `random` allows it. */
const ACTIONS_OF_KEYS = [...ATTESTED_ACTIONS, ...FORWARDED_ACTIONS].filter((action) => action !== 'GenerateRandom');

const rule = z.strictObject({
  key: kmsKeyArn,
  actions: z.array(z.enum(ACTIONS_OF_KEYS)).min(1),
});

const region = z.strictObject({
  region: z.string().regex(REGION, { error: 'must be a region such as eu-central-1' }),
  route: z.enum(KMS_ROUTES).default('kms').describe('the way out, as host-proxy.yaml names it'),
  endpoint: kmsEndpoint.optional().describe('default: the region’s, by the rules of the AWS SDK'),
  ca: fileInFolder.optional().describe('CA of the endpoint; default: the roots that ship with Node'),
});

interface Fault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

interface Section {
  readonly regions: readonly z.output<typeof region>[];
  readonly allow: readonly z.output<typeof rule>[];
  readonly random: boolean;
}

/** Whether the item at that place stands before it, too. */
const isRepeated = (items: readonly unknown[], at: number): boolean => items.indexOf(items[at]) < at;

function regionFaults(regions: Section['regions']): readonly Fault[] {
  const [names, routes] = [regions.map((each) => each.region), regions.map((each) => each.route)];
  return regions.flatMap(({ region: name, endpoint }, at): Fault[] => {
    const host = endpoint === undefined ? undefined : URL.parse(endpoint)?.hostname;
    const wrongHost = host === undefined ? undefined : kmsHostFault(host, name);
    return [
      ...(isRepeated(names, at) ? [{ path: ['regions', at, 'region'], message: 'is there twice' }] : []),
      ...(isRepeated(routes, at)
        ? [{ path: ['regions', at, 'route'], message: `must be another for each region: ${KMS_ROUTES.join(', ')}` }]
        : []),
      ...(wrongHost === undefined ? [] : [{ path: ['regions', at, 'endpoint'], message: wrongHost }]),
    ];
  });
}

function ruleFaults({ allow, regions, random }: Section): readonly Fault[] {
  const keys = allow.map((each) => each.key);
  const faults = allow.flatMap(({ key }, at): Fault[] => {
    const parsed = parseKeyArn(key);
    // Told as no ARN of a key already.
    if (parsed === undefined) return [];
    const { region: ofKey, partition } = parsed;
    const path = ['allow', at, 'key'];
    const { name } = partitionOf(ofKey);
    return [
      ...(partition === name ? [] : [{ path, message: `the ARN of a key in ${ofKey} begins with arn:${name}:` }]),
      ...(regions.some((each) => each.region === ofKey) ? [] : [{ path, message: `kmsProxy.regions has no ${ofKey}` }]),
      ...(isRepeated(keys, at) ? [{ path, message: 'is there twice; name all its actions in one place' }] : []),
    ];
  });
  if (allow.length > 0 || random) return faults;
  return [
    ...faults,
    { path: ['allow'], message: 'names no key: the proxy would refuse everything; leave kmsProxy out' },
  ];
}

const section = z
  .strictObject({
    listen: loopbackAddress.prefault('tcp://127.0.0.1:10001').describe('AWS_ENDPOINT_URL_KMS of all programs'),
    regions: z.array(region).min(1).max(KMS_ROUTES.length).describe('the first is AWS_REGION of all programs'),
    allow: z.array(rule).max(MAX_RULES).describe('keys, and what may be done with each'),
    random: z.boolean().default(false).describe('whether programs may ask for GenerateRandom, which names no key'),
    maxBodyBytes: count(64 * 1024, 1024 * 1024).describe('of a request'),
    maxConnections: count(64, 10_000),
    requestTimeoutMs: durationMs(10_000).describe('for a request to arrive whole, and from then for its answer'),
  })
  .superRefine((given, context) => {
    for (const { path, message } of [...regionFaults(given.regions), ...ruleFaults(given)])
      context.addIssue({ code: 'custom', path: [...path], message });
  });

export const kmsProxySection = section.optional();
export type KmsProxySection = NonNullable<z.output<typeof kmsProxySection>>;
