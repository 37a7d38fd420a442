/** KMS Encrypt with the credentials that an operator has: a profile, the environment, or none. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DecryptCommand } from '@aws-sdk/client-kms';
import t, { type Test as TapTest } from 'tap';
import { KmsOperatorError } from '../../kms/errors.ts';
import { kmsEncrypt } from '../../kms/operator-encrypt.ts';
import { describeError } from '../../runtime/errors.ts';
import { kmsFixture, REGION } from '../emulator/support/kms-fixture.ts';
import { rejectsCode } from '../support/coded-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ENCRYPTION_CONTEXT = { purpose: 'acra-master-key' };
const PLAINTEXT = Buffer.alloc(32, 7);

/** The variables that the chain of the SDK looks at, for the duration of one test. */
function environment(t: TapTest, variables: Readonly<Record<string, string>>): void {
  const before = { ...process.env };
  const folder = temporaryFolder(t);
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  Object.assign(process.env, {
    HOME: folder,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
    AWS_CONFIG_FILE: join(folder, 'config'),
    ...variables,
  });
  t.teardown(() => {
    for (const name of Object.keys(process.env)) delete process.env[name];
    Object.assign(process.env, before);
  });
}

async function rig(t: TapTest) {
  const fixture = await kmsFixture(t);
  const { kms } = fixture;
  const keyArn = await fixture.createKey();
  const target = { region: REGION, keyArn, encryptionContext: ENCRYPTION_CONTEXT, endpoint: kms.url, caPem: kms.caPem };
  return { ...fixture, encrypt: () => kmsEncrypt(PLAINTEXT, target) };
}

type Fixture = Awaited<ReturnType<typeof rig>>;

async function opened({ admin }: Fixture, ciphertext: Buffer): Promise<Buffer> {
  const answer = await admin.send(
    new DecryptCommand({ CiphertextBlob: ciphertext, EncryptionContext: ENCRYPTION_CONTEXT }),
  );
  return Buffer.from(answer.Plaintext ?? []);
}

t.test('encrypts under a profile of the operator', async (t) => {
  const fixture = await rig(t);
  environment(t, { AWS_PROFILE: 'operator' });
  const { accessKeyId, secretAccessKey } = fixture.kms.adminCredentials;
  writeFileSync(
    process.env['AWS_SHARED_CREDENTIALS_FILE'] ?? '',
    `[operator]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
  );
  t.same(await opened(fixture, await fixture.encrypt()), PLAINTEXT);
});

t.test('encrypts under credentials of the environment', async (t) => {
  const fixture = await rig(t);
  const { accessKeyId, secretAccessKey } = fixture.kms.adminCredentials;
  environment(t, { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey });
  t.same(await opened(fixture, await fixture.encrypt()), PLAINTEXT);
});

t.test('rejects an operator without credentials, and says so (CLI_KMS_REFUSED)', async (t) => {
  const fixture = await rig(t);
  environment(t, {});
  const error = await rejectsCode(fixture.encrypt, KmsOperatorError, 'CLI_KMS_REFUSED');
  t.match(describeError(error), /credentials/i);
});

t.test('rejects a single sign-on session that has ended, and says how to begin one (CLI_KMS_REFUSED)', async (t) => {
  const fixture = await rig(t);
  environment(t, { AWS_PROFILE: 'sso' });
  writeFileSync(
    process.env['AWS_CONFIG_FILE'] ?? '',
    [
      '[profile sso]',
      'sso_session = office',
      'sso_account_id = 111122223333',
      'sso_role_name = Operator',
      '[sso-session office]',
      'sso_start_url = https://office.awsapps.com/start',
      `sso_region = ${REGION}`,
      '',
    ].join('\n'),
  );
  const error = await rejectsCode(fixture.encrypt, KmsOperatorError, 'CLI_KMS_REFUSED');
  t.match(describeError(error), /aws sso login/);
});

t.test('rejects what KMS refuses, in its words (CLI_KMS_REFUSED)', async (t) => {
  const fixture = await rig(t);
  const { accessKeyId, secretAccessKey, sessionToken } = fixture.roleCredential;
  environment(t, {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  });
  const error = await rejectsCode(fixture.encrypt, KmsOperatorError, 'CLI_KMS_REFUSED');
  t.equal(error.found, 'AccessDeniedException');
  t.match(describeError(error), /is not authorized to perform: kms:Encrypt/);
});
