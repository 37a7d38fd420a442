/** A running KMS with its credentials, and the real AWS SDK as its client. */
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CredentialStore } from '../../../emulator/credentials.ts';
import type { RunningKms } from '../../../emulator/kms/server.ts';
import { startKms } from '../../../emulator/kms/server.ts';
import { ACCOUNT_ROOT_ARN, roleArn, rolePrincipal } from '../../../emulator/principal.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { nsmFixture } from './nsm-fixture.ts';

export const REGION = 'eu-central-1';
export const ROLE = 'enclave';
const HOUR_MS = 3_600_000;

interface SdkCredential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

interface Teardown {
  teardown(fn: () => unknown): void;
}

/** One key pair for all tests of a file: making it takes long. */
export const recipientKey = generateKeyPairSync('rsa', { modulusLength: 2048 });
const recipientSpki = recipientKey.publicKey.export({ type: 'spki', format: 'der' });

export function sdkClient(t: Teardown, kms: RunningKms, credential: SdkCredential, overrides: object = {}): KMSClient {
  const client = new KMSClient({
    region: REGION,
    endpoint: kms.url,
    maxAttempts: 1,
    requestHandler: { httpsAgent: { ca: kms.caPem } },
    credentials: credential,
    ...overrides,
  });
  t.teardown(() => client.destroy());
  return client;
}

/** GenerateRandom concerns no key: an IAM policy of the role allows it. */
const RANDOM_POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'kms:GenerateRandom', Resource: '*' }],
});

/** The administrator may do everything but use the key; the role may use it under the conditions. */
export function rolePolicy(
  conditions: object,
  actions: readonly string[] = ['kms:Decrypt', 'kms:GenerateDataKey'],
): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { AWS: ACCOUNT_ROOT_ARN }, Action: ['kms:*Key*', 'kms:Encrypt'], Resource: '*' },
      { Effect: 'Allow', Principal: { AWS: roleArn(ROLE) }, Action: actions, Resource: '*', Condition: conditions },
    ],
  });
}

export async function kmsFixture(t: Teardown, region = REGION) {
  const folder = temporaryFolder(t);
  /** At the present time, because the SDK signs with the system's clock. */
  const clock = new FakeClock(Date.now());
  const nsm = await nsmFixture(t, { clock });
  const credentials = new CredentialStore({ folder: join(folder, 'credentials'), clock, random: systemRandom });
  const start = async () => {
    const options = {
      folder: join(folder, 'kms'),
      region,
      nsmTrust: { kind: 'signed', rootDer: nsm.root.rootDer } as const,
      credentials,
      clock,
    };
    const kms = await startKms(options);
    kms.putRolePolicy(roleArn(ROLE), RANDOM_POLICY);
    t.teardown(() => kms.stop());
    return kms;
  };
  const kms = await start();
  const roleCredential = await credentials.issueTemporary(rolePrincipal(ROLE, 'i-0'), HOUR_MS);
  const admin = sdkClient(t, kms, kms.adminCredentials, { region });
  return {
    folder: join(folder, 'kms'),
    clock,
    nsm,
    credentials,
    kms,
    admin,
    role: sdkClient(t, kms, roleCredential, { region }),
    roleCredential,
    restart: start,
    /** @returns the ARN. */
    async createKey(policyText?: string): Promise<string> {
      const { KeyMetadata } = await admin.send(
        new CreateKeyCommand(policyText === undefined ? {} : { Policy: policyText }),
      );
      return KeyMetadata!.Arn!;
    },
    /** A Recipient member with a fresh document for `recipientKey`. */
    async recipient(attest = nsm.attest) {
      const AttestationDocument = await attest({ publicKey: recipientSpki });
      return { AttestationDocument, KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256' } as const;
    },
  };
}

export type KmsFixture = Awaited<ReturnType<typeof kmsFixture>>;

/** The name of the service error with which the SDK must reject. */
export async function serviceError(action: Promise<unknown>): Promise<string> {
  try {
    await action;
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
  return 'no error';
}
