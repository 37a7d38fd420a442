/**
 * AWS's own SDKs and command lines before the KMS proxy, unmodified and with nothing set but the environment that the enclave gives its
 * programs: what the answers are, which exceptions refusals become, and that an outage is tried again.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateKeyCommand } from '@aws-sdk/client-kms';
import t from 'tap';
import { z } from 'zod';
import { FORWARDED_ACTIONS } from '../../config/app/kms-proxy.ts';
import { roleArn } from '../../emulator/principal.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import { kmsFixture, REGION, ROLE } from '../emulator/support/kms-fixture.ts';
import { startProxy } from '../supervisor/kms-proxy/support/proxy-fixture.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { installed, lackOf } from './support/installed.ts';

const CHECKS = [
  'encrypt-decrypt',
  'decrypt-without-key',
  'data-key',
  'data-key-pair',
  'random',
  'shared-secret',
  'sign-verify',
  'typed-refusal',
  'rules-refusal',
  'alias-refusal',
  'outage-retried',
] as const;
const SECRETS = ['Decrypt', 'DeriveSharedSecret', 'GenerateDataKey', 'GenerateDataKeyPair'];
const HERE = join(import.meta.dirname, 'kms');
const TIMEOUT_MS = 120_000;

const aboutSchema = z.strictObject({ version: z.string(), runtime: z.string() });
const outcomeSchema = z.strictObject({ check: z.string(), ok: z.boolean(), detail: z.string() });

interface Program {
  readonly client: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly lack: string | undefined;
}

const python = (packages: string) => ({ PYTHONPATH: installed(`kms/${packages}`), PYTHONDONTWRITEBYTECODE: '1' });
const PROGRAMS: readonly Program[] = [
  {
    client: 'AWS SDK for JavaScript v3',
    command: process.execPath,
    args: [join(HERE, 'sdk-v3.ts')],
    lack: undefined,
  },
  {
    client: 'boto3',
    command: installed('python/program'),
    args: [join(HERE, 'boto3_.py')],
    env: python('boto3'),
    lack: lackOf('kms-python', 'kms/boto3/.made'),
  },
  {
    client: 'AWS CLI v1',
    command: process.execPath,
    args: [join(HERE, 'aws-cli.ts'), installed('python/program'), installed('kms/awscli1/bin/aws')],
    env: python('awscli1'),
    lack: lackOf('kms-python', 'kms/awscli1/.made'),
  },
  {
    client: 'AWS CLI v2',
    command: process.execPath,
    args: [join(HERE, 'aws-cli.ts'), installed('kms/awscli2/awscli/v2/*/dist/aws')],
    lack: lackOf('kms-python', 'kms/awscli2/.made'),
  },
  { client: 'AWS SDK for Go v2', command: installed('kms/go/kms'), args: [], lack: lackOf('kms-go', 'kms/go/kms') },
  {
    client: 'AWS SDK for Java v2',
    command: 'java',
    args: ['-cp', `${installed('kms/java/jars')}/*:${installed('kms/java/classes')}`, 'Kms'],
    lack: lackOf('kms-java', 'kms/java/classes/Kms.class'),
  },
];

/** Secrets for the measured image alone, everything else for the role. */
function policyFor(image: string): string {
  const allow = (actions: readonly string[], more: object = {}) => ({
    Effect: 'Allow',
    Principal: { AWS: roleArn(ROLE) },
    Action: actions.map((action) => `kms:${action}`),
    Resource: '*',
    ...more,
  });
  const Condition = { StringEqualsIgnoreCase: { 'kms:RecipientAttestation:ImageSha384': image } };
  const Statement = [allow(SECRETS, { Condition }), allow([...FORWARDED_ACTIONS].filter((a) => a !== 'ReEncrypt'))];
  return JSON.stringify({ Version: '2012-10-17', Statement });
}

const fixture = await kmsFixture(t);
const { kms, nsm, admin } = fixture;
const Policy = policyFor(nsm.pcrs.get(toPcrIndex(0))!.toString('hex'));
async function makeKey(kind: object = {}): Promise<string> {
  const { KeyMetadata } = await admin.send(
    new CreateKeyCommand({ Policy, BypassPolicyLockoutSafetyCheck: true, ...kind }),
  );
  return KeyMetadata!.Arn!;
}
const keys = {
  KMS_SYMMETRIC_KEY: await makeKey(),
  KMS_SIGNING_KEY: await makeKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
  KMS_AGREEMENT_KEY: await makeKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' }),
  KMS_OTHER_KEY: await makeKey(),
};
const { proxy, logger } = await startProxy(t, {
  section: {
    regions: [{ region: REGION, endpoint: `https://kms.${REGION}.amazonaws.com:${kms.port}`, ca: 'ca' }],
    allow: [
      {
        key: keys.KMS_SYMMETRIC_KEY,
        actions: [...SECRETS.filter((a) => a !== 'DeriveSharedSecret'), 'Encrypt', 'DescribeKey'],
      },
      { key: keys.KMS_SIGNING_KEY, actions: ['Sign', 'Verify'] },
      { key: keys.KMS_AGREEMENT_KEY, actions: ['DeriveSharedSecret', 'GetPublicKey'] },
    ],
    random: true,
  },
  caPem: kms.caPem,
  target: { host: kms.host, port: kms.port },
  nsm: nsm.provider,
  credentials: async () => fixture.roleCredential,
  clock: fixture.clock,
});

/** As the enclave sets them for HTTP egress; nobody is there: whoever went that way would fail. */
const NOWHERE = 'http://127.0.0.1:1/';
const EGRESS = {
  ...Object.fromEntries(['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'].map((name) => [name, NOWHERE])),
  ...Object.fromEntries(['no_proxy', 'NO_PROXY'].map((name) => [name, 'localhost,127.0.0.1'])),
};

/** Nothing is inherited, as in the enclave. */
async function run({ command, args, env }: Program, folder: string): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...EGRESS, ...proxy.environment, ...keys, ...env },
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  return stdout;
}

const failed = () =>
  proxy.samples.find(({ labels }) => labels['action'] === 'describe-key' && labels['outcome'] === 'failed')?.value ?? 0;

for (const program of PROGRAMS) {
  if (program.lack !== undefined) {
    t.pass(program.client, { skip: program.lack });
    continue;
  }
  await t.test(program.client, async (t) => {
    // One falls to a connection that the proxy has kept, which asks again by itself; the next is an outage.
    kms.faults.next('DescribeKey', { kind: 'close' }, 2);
    const [asked, before] = [kms.audit().length, failed()];
    const [first = '', ...lines] = (await run(program, temporaryFolder(t))).trim().split('\n');
    const { version, runtime } = aboutSchema.parse(JSON.parse(first));
    const outcomes = lines.map((line) => outcomeSchema.parse(JSON.parse(line)));
    t.comment(`${version} on ${runtime}: ${outcomes.filter(({ ok }) => ok).length} of ${CHECKS.length}`);
    t.strictSame(
      outcomes.map(({ check }) => check),
      CHECKS,
      'goes through every check',
    );
    for (const { check, ok, detail } of outcomes) t.ok(ok, `${check} ${detail}`);
    t.ok(failed() > before, 'an outage reached the SDK, which tried again');
    const secret = kms
      .audit()
      .slice(asked)
      .filter(({ operation }) => [...SECRETS, 'GenerateRandom'].includes(operation));
    t.ok(
      secret.length >= 8 && secret.every(({ recipientPcr0 }) => recipientPcr0 !== undefined),
      'every secret was attested',
    );
    kms.faults.clear();
  });
}

t.test('keeps what programs encrypted out of the log', (t) => {
  const said = JSON.stringify(logger.records);
  for (const secret of ['a secret', Buffer.from('a secret').toString('base64')]) t.notOk(said.includes(secret));
  t.end();
});
