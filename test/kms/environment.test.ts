import { writeFileSync } from 'node:fs';
import fsPromises from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { sealToSpki } from '../attestation/support/envelope.ts';
import { CREDENTIALS, countingNsm, kmsEndpoint, REGION, spkiIn } from '../attestation/support/kms-endpoint.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Every path that is read through the call that the SDK has for its files; in place before the SDK is loaded. */
const reads: unknown[] = [];
const { readFile } = fsPromises;
fsPromises.readFile = ((...args: Parameters<typeof readFile>) => {
  reads.push(args[0]);
  return readFile(...args);
}) as typeof readFile;
const { AttestedKms } = await import('../../kms/client.ts');

const POISONED_FILE = `[default]
region = us-poison-1
endpoint_url = https://poison.test
aws_access_key_id = AKIAFILE
aws_secret_access_key = file
max_attempts = 9
use_fips_endpoint = true
use_dualstack_endpoint = true
`;

/** Whatever of the environment the SDK would listen to, set to something that would show. */
function poison(t: { teardown(fn: () => unknown): void }): void {
  const folder = temporaryFolder(t);
  const file = join(folder, 'config');
  writeFileSync(file, POISONED_FILE);
  const variables = {
    AWS_ACCESS_KEY_ID: 'AKIAENVIRONMENT',
    AWS_SECRET_ACCESS_KEY: 'environment',
    AWS_SESSION_TOKEN: 'environment',
    AWS_REGION: 'us-poison-1',
    AWS_ENDPOINT_URL: 'https://poison.test',
    AWS_ENDPOINT_URL_KMS: 'https://poison.test',
    AWS_CONFIG_FILE: file,
    AWS_SHARED_CREDENTIALS_FILE: file,
    AWS_USE_FIPS_ENDPOINT: 'true',
    AWS_USE_DUALSTACK_ENDPOINT: 'true',
    AWS_MAX_ATTEMPTS: '9',
    AWS_PROFILE: 'default',
    HTTPS_PROXY: 'http://poison.test:1',
    NODE_USE_ENV_PROXY: '1',
  };
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name];
    t.teardown(() => {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    });
    process.env[name] = value;
  }
}

t.test('takes nothing from the environment or from files', async (t) => {
  poison(t);
  const before = reads.length;
  const { connection, heard } = await kmsEndpoint(t, (request) => ({
    json: { CiphertextForRecipient: sealToSpki(spkiIn(request), Buffer.alloc(8)).toString('base64') },
  }));
  const kms = new AttestedKms(connection, countingNsm());
  t.teardown(() => kms.close());
  await kms.generateRandom({ lengthBytes: 8, signal: new AbortController().signal });
  const [request] = heard;
  t.equal(request?.headers.host, 'kms.test');
  t.match(request?.headers.authorization, new RegExp(`Credential=${CREDENTIALS.accessKeyId}/\\d{8}/${REGION}/kms/`));
  t.equal(request?.headers['x-amz-security-token'], CREDENTIALS.sessionToken);
  t.same(reads.slice(before), [], 'no file was opened');
});

t.test('writes nothing to the console', async (t) => {
  const written: unknown[] = [];
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    const original = console[method];
    t.teardown(() => {
      console[method] = original;
    });
    console[method] = (...parts: unknown[]) => void written.push(parts);
  }
  const { connection } = await kmsEndpoint(t, () => ({ raw: 'no JSON' }));
  const kms = new AttestedKms(connection, countingNsm());
  t.teardown(() => kms.close());
  await t.rejects(kms.generateRandom({ lengthBytes: 8, signal: new AbortController().signal }));
  t.same(written, []);
});
