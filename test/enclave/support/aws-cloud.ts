/**
 * AWS's own KMS and instance metadata, for tests on an EC2 instance. The credentials of whoever runs the tests (the SDK's
 * own chain; on the instance usually its role) need, as docs/ec2.md lists: kms:CreateKey, kms:PutKeyPolicy, kms:Encrypt,
 * kms:GenerateDataKey, kms:GenerateRandom, kms:ScheduleKeyDeletion, sts:GetCallerIdentity.
 */
import { CreateKeyCommand, KMSClient, PutKeyPolicyCommand, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import { request } from 'undici';
import { regionalEndpoint } from '../../../kms/endpoint.ts';
import { attestationKey } from '../../../kms/policy/language/request-context.ts';
import { GENERATION_CONTEXT } from '../../../wire/generation-context.ts';
import type { EnclaveCloud, KeyPolicyChoices } from './cloud.ts';

const IMDS = 'http://169.254.169.254';
const TOKEN_SECONDS = '300';
/** The shortest that KMS allows. */
const DELETION_DAYS = 7;

async function metadata(path: string): Promise<string> {
  const { body } = await request(`${IMDS}/latest/api/token`, {
    method: 'PUT',
    headers: { 'x-aws-ec2-metadata-token-ttl-seconds': TOKEN_SECONDS },
  });
  const answer = await request(`${IMDS}/latest/${path}`, {
    headers: { 'x-aws-ec2-metadata-token': await body.text() },
  });
  if (answer.statusCode !== 200) throw new Error(`instance metadata: ${path} answered ${answer.statusCode}`);
  return answer.body.text();
}

/** Nobody but a measured enclave decrypts, in the account whose administrators may still delete the key. */
function policyFor(
  account: string,
  conditions: Readonly<Record<string, string>>,
  { keysBornInEnclave = false, generations = [] }: KeyPolicyChoices = {},
): string {
  const account_ = { AWS: `arn:aws:iam::${account}:root` };
  const administer = [
    ...(keysBornInEnclave ? [] : ['kms:Encrypt']),
    'kms:DescribeKey',
    'kms:GetKeyPolicy',
    'kms:PutKeyPolicy',
    'kms:ScheduleKeyDeletion',
  ];
  const allow = (Sid: string, Action: unknown, Condition?: unknown) => ({
    ...{ Sid, Effect: 'Allow', Principal: account_, Action, Resource: '*' },
    ...(Condition === undefined ? {} : { Condition }),
  });
  const measured = { StringEqualsIgnoreCase: conditions };
  const inGenerations = {
    StringEquals: { [`kms:EncryptionContext:${GENERATION_CONTEXT}`]: generations.map(String) },
  };
  const decrypting = { ...measured, ...(generations.length === 0 ? {} : inGenerations) };
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      allow('Administer', administer),
      allow('OnlyTheMeasuredEnclaveDecrypts', 'kms:Decrypt', decrypting),
      ...(keysBornInEnclave ? [allow('OnlyTheMeasuredEnclaveMakesKeys', 'kms:GenerateDataKey', measured)] : []),
    ],
  });
}

export async function awsCloud(): Promise<EnclaveCloud> {
  const region = await metadata('meta-data/placement/region');
  const document = JSON.parse(await metadata('dynamic/instance-identity/document')) as { accountId: string };
  const client = new KMSClient({ region });
  const keys: string[] = [];
  return {
    hostSettings: {
      kms: { connect: `tcp://${regionalEndpoint(region).hostname}:443` },
      imds: { connect: 'tcp://169.254.169.254:80' },
    },
    operator: { region },
    async createKey() {
      const answer = await client.send(new CreateKeyCommand({ Description: 'acra-enclave test; may be deleted' }));
      const arn = answer.KeyMetadata?.Arn;
      if (arn === undefined) throw new Error('KMS made a key without an ARN');
      keys.push(arn);
      return arn;
    },
    async putKeyPolicy(keyArn, pcrs, choices) {
      const conditions = [...pcrs].map(([index, value]) => [attestationKey(index), value.toString('hex')]);
      const Policy = policyFor(document.accountId, Object.fromEntries(conditions), choices);
      await client.send(new PutKeyPolicyCommand({ KeyId: keyArn, Policy }));
    },
    async stop() {
      for (const KeyId of keys) {
        await client.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: DELETION_DAYS }));
      }
      client.destroy();
    },
  };
}
