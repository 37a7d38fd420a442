/** Section `kms` of `enclave.yaml`: the key, and where KMS is. The region is that of the key: KMS has no key elsewhere. */
import { z } from 'zod';
import { hostFault } from '../wire/host.ts';
import { kmsHostFault, parseKeyArn, partitionOf, REGION } from './aws-names.ts';
import { ConfigError } from './errors.ts';
import { durationMs, fileInFolder } from './fields.ts';

/** A host, perhaps a port: the SDK would drop the rest, or send it along. */
function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.port === '0' || hostFault(url.hostname.replace(/^\[|\]$/g, '')) !== undefined) return false;
  return /^https:\/\/[^/?#@]+\/?$/i.test(text);
}

export const kmsKeyArn = z.string().refine((text) => parseKeyArn(text) !== undefined, {
  error: 'must be a full key ARN (arn:aws:kms:REGION:ACCOUNT:key/ID); an alias can be pointed elsewhere',
});

export const kmsEndpoint = z
  .url({ protocol: /^https$/, error: 'must be an https:// URL' })
  .refine((text) => isOrigin(text), {
    error: 'must be https://HOST or https://HOST:PORT and no more: no user, path, query or wildcard',
  });

const fields = z.strictObject({
  region: z
    .string()
    .regex(REGION, { error: 'must be a region such as eu-central-1' })
    .optional()
    .describe('default: that of keyArn, the only one that it can be'),
  keyArn: kmsKeyArn,
  encryptionContext: z
    .record(z.string().min(1), z.string().min(1))
    .refine((context) => Object.keys(context).length > 0, { error: 'needs at least one entry' })
    .describe('must equal the context under which the master key was encrypted'),
  ciphertext: fileInFolder
    .prefault('master-key.json')
    .describe("the master key's KMS ciphertext, as `keys new` writes it"),
  endpoint: kmsEndpoint.optional().describe('default: the region’s, by the rules of the AWS SDK'),
  ca: fileInFolder.optional().describe('CA of the endpoint; default: the roots that ship with Node'),
  requestTimeoutMs: durationMs(10_000),
});

interface Contradiction {
  readonly path: 'region' | 'keyArn' | 'endpoint';
  readonly message: string;
}

/** Each spelling that does not fit the key's ARN, with what is right in its place. */
function contradictions({ region, keyArn, endpoint }: z.output<typeof fields>): Contradiction[] {
  const key = parseKeyArn(keyArn);
  if (key === undefined) return [];
  const found: Contradiction[] = [];
  const { name: partition } = partitionOf(key.region);
  if (key.partition !== partition) {
    found.push({ path: 'keyArn', message: `the ARN of a key in ${key.region} begins with arn:${partition}:` });
  }
  // What is no region at all is told as such.
  if (region !== undefined && REGION.test(region) && region !== key.region) {
    found.push({ path: 'region', message: `must be ${key.region}, the region of keyArn; it can be left out` });
  }
  const host = endpoint === undefined ? undefined : URL.parse(endpoint)?.hostname;
  const fault = host === undefined ? undefined : kmsHostFault(host, key.region);
  if (fault !== undefined) found.push({ path: 'endpoint', message: fault });
  return found;
}

export const kmsSection = fields
  .superRefine((section, context) => {
    for (const { path, message } of contradictions(section)) {
      context.addIssue({ code: 'custom', path: [path], message });
    }
  })
  .transform((section) => ({ ...section, region: parseKeyArn(section.keyArn)?.region ?? '' }));
export type KmsSection = z.output<typeof kmsSection>;

/** Where a KMS key keeps the master key, as everywhere but with keys that operators hold. @throws ConfigError CONFIG_INVALID */
export function requireKms({ kms }: { readonly kms?: KmsSection | undefined }): KmsSection {
  if (kms !== undefined) return kms;
  throw new ConfigError('CONFIG_INVALID', 'enclave.yaml has no section kms: operators hold its keys', {
    action: 'Ask for what concerns them by `acra-enclave keys`; no KMS has a part in it.',
  });
}
