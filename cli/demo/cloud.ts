/** What a data centre and AWS provide, on this machine: a real PostgreSQL, emulated KMS and instance metadata. */

import { Agent } from 'node:https';
import { join } from 'node:path';
import type { KMSClientConfig } from '@aws-sdk/client-kms';
import { CreateKeyCommand, KMSClient, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import { CredentialStore } from '../../emulator/credentials.ts';
import type { RunningImds } from '../../emulator/imds/server.ts';
import { startImds } from '../../emulator/imds/server.ts';
import type { NsmTrust } from '../../emulator/kms/nsm-trust.ts';
import type { RunningKms } from '../../emulator/kms/server.ts';
import { startKms } from '../../emulator/kms/server.ts';
import { administratorPrincipal, roleArn } from '../../emulator/principal.ts';
import { makeKeyPolicy, makeRolePolicy, type PolicyDocument } from '../../kms/policy/key-policy.ts';
import type { PolicyWish } from '../../kms/policy/wish.ts';
import { systemClock } from '../../runtime/clock.ts';
import { systemRandom } from '../../runtime/random.ts';
import type { PcrIndex } from '../../wire/brands.ts';

export const REGION = 'eu-central-1';
const ROLE = 'acra-enclave-demo';

export interface CloudOptions {
  readonly folder: string;
  readonly nsmTrust: NsmTrust;
  readonly credentialLifetimeMs: number;
}

type PolicyChoices = Partial<
  Pick<PolicyWish, 'encryptionContext' | 'generations' | 'keysBornInEnclave' | 'measurements' | 'uses'>
>;

export interface Cloud {
  readonly kms: RunningKms;
  readonly imds: RunningImds;
  /** Of the instance that IMDS speaks for. */
  readonly roleArn: string;
  /** That the account has issued. */
  readonly credentials: CredentialStore;
  createKey(): Promise<string>;
  putKeyPolicy(keyArn: string, pcrs: ReadonlyMap<PcrIndex, Buffer>, choices?: PolicyChoices): Promise<PolicyDocument>;
  stop(): Promise<void>;
}

function administratorClient(kms: RunningKms): KMSClient {
  const { accessKeyId, secretAccessKey } = kms.adminCredentials;
  const config: KMSClientConfig = {
    region: REGION,
    endpoint: kms.url,
    credentials: { accessKeyId, secretAccessKey },
    requestHandler: { httpsAgent: new Agent({ ca: kms.caPem }) },
  };
  return new KMSClient(config);
}

export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const shared = { clock: systemClock, random: systemRandom };
  const credentials = new CredentialStore({ folder: join(options.folder, 'credentials'), ...shared });
  const kms = await startKms({
    folder: join(options.folder, 'kms'),
    region: REGION,
    nsmTrust: options.nsmTrust,
    credentials,
    clock: systemClock,
  });
  kms.putRolePolicy(
    roleArn(ROLE),
    JSON.stringify(makeRolePolicy({ roleArn: roleArn(ROLE), keysBornInEnclave: false })),
  );
  const imds = await startImds({
    folder: join(options.folder, 'imds'),
    role: ROLE,
    credentials,
    clock: systemClock,
    lifetimeMs: options.credentialLifetimeMs,
    region: REGION,
  });
  const client = administratorClient(kms);
  const administrator = administratorPrincipal('administrator').policyArn;
  return {
    kms,
    imds,
    roleArn: roleArn(ROLE),
    credentials,
    createKey: async () => (await client.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '',
    putKeyPolicy: async (keyArn, pcrs, choices) => {
      const policy = makeKeyPolicy({
        roleArn: roleArn(ROLE),
        measurements: [pcrs],
        administrators: [administrator],
        policyAdministrators: [administrator],
        encryptionContext: {},
        keysBornInEnclave: false,
        ...choices,
      });
      await client.send(new PutKeyPolicyCommand({ KeyId: keyArn, Policy: JSON.stringify(policy) }));
      return policy;
    },
    stop: async () => {
      client.destroy();
      await Promise.all([kms.stop(), imds.stop()]);
    },
  };
}
