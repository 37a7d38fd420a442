/**
 * `kmsProxy` of enclave.yaml with `workload: app`: KMS for programs that know nothing of enclaves. Requests are signed anew with the
 * enclave's credentials and carry its attestation document; keys and actions that are not named here are refused inside.
 */
import { z } from 'zod';
import { REGION } from '../aws-names.ts';
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

const rule = z.strictObject({
  key: kmsKeyArn,
  actions: z.array(z.enum([...ATTESTED_ACTIONS, ...FORWARDED_ACTIONS])).min(1),
});

const region = z.strictObject({
  region: z.string().regex(REGION, { error: 'must be a region such as eu-central-1' }),
  route: z.enum(KMS_ROUTES).default('kms').describe('the way out, as host-proxy.yaml names it'),
  endpoint: kmsEndpoint.optional().describe('default: the region’s, by the rules of the AWS SDK'),
  ca: fileInFolder.optional().describe('CA of the endpoint; default: the roots that ship with Node'),
});

export const kmsProxySection = z
  .strictObject({
    listen: loopbackAddress.prefault('tcp://127.0.0.1:10001').describe('AWS_ENDPOINT_URL_KMS of all programs'),
    regions: z.array(region).min(1).max(KMS_ROUTES.length).describe('the first is AWS_REGION of all programs'),
    allow: z.array(rule).max(MAX_RULES).describe('keys, and what may be done with each'),
    random: z.boolean().default(false).describe('whether programs may ask for GenerateRandom, which names no key'),
    maxBodyBytes: count(64 * 1024, 1024 * 1024).describe('of a request'),
    maxConnections: count(64, 10_000),
    requestTimeoutMs: durationMs(10_000),
  })
  .optional();
export type KmsProxySection = NonNullable<z.output<typeof kmsProxySection>>;
