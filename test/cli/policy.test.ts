/** `policy print|check|simulate` as a user runs them: files in, policies, findings and exit codes out. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { COMMITMENT_PCR, commitmentTo, encodeStatement, pcrOfCommitment } from '../../attestation/runtime/statement.ts';
import { pcrOfRole } from '../../eif/pcr.ts';
import { APP } from '../attestation/support/app-statement.ts';
import { nsmFixture } from '../emulator/support/nsm-fixture.ts';
import { PROJECT } from '../project/imports.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave } from './support/acra-enclave.ts';

const ROLE = 'arn:aws:iam::111122223333:role/acra-enclave';
const ADMINISTRATOR = 'arn:aws:iam::111122223333:user/administrator';
const PEOPLE = ['--role-arn', ROLE, '--administrator', ADMINISTRATOR, '--policy-administrator', ADMINISTRATOR];
const EXAMPLES = join(PROJECT, 'examples');

const STATEMENT = {
  version: 1,
  release: '0.1.0',
  name: 'demo',
  configuration: 'c'.repeat(64),
  ingress: 'terminate',
  tlsKey: 'sealed',
  guard: { mode: 'enforce', relations: 'listed', migrations: [] },
  database: { serverName: 'db', ca: 'd'.repeat(64) },
  clientCa: 'e'.repeat(64),
  keys: { source: 'image' },
  kms: { keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/x', encryptionContext: {} },
} as const;
const PCR16 = pcrOfCommitment(
  commitmentTo(encodeStatement({ ...STATEMENT, guard: { ...STATEMENT.guard, migrations: [] } })),
);

const pcrs = (byte: string, pcr8 = '00') => ({
  PCR0: `${byte}`.repeat(48),
  PCR1: 'a1'.repeat(48),
  PCR2: 'a2'.repeat(48),
  PCR8: pcr8.repeat(48),
});

function files(t: TapTest) {
  const folder = temporaryFolder(t);
  const write = (name: string, content: unknown) => {
    const file = join(folder, name);
    writeFileSync(file, typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content));
    return file;
  };
  return {
    write,
    image: write('measurements.json', { Measurements: pcrs('a0') }),
    next: write('next.json', { Measurements: pcrs('c0', 'a8') }),
    withRuntime: write('runtime.json', {
      Measurements: pcrs('a0'),
      runtime: { statement: STATEMENT, PCR16: PCR16.toString('hex') },
    }),
  };
}

const conditionsOf = (stdout: string): readonly Record<string, unknown>[] =>
  JSON.parse(stdout)
    .Statement.filter(({ Sid }: { Sid: string }) => Sid.startsWith('OnlyTheMeasuredEnclave'))
    .map(({ Condition }: { Condition: Record<string, Record<string, string>> }) => Condition['StringEqualsIgnoreCase']);
const names = (condition: object | undefined) =>
  Object.keys(condition ?? {}).map((key) => key.replace('kms:RecipientAttestation:', ''));

t.test('prints what the measurements, the role and the folder say', async (t) => {
  const { image, next, withRuntime, write } = files(t);
  const print = (...words: string[]) => acraEnclave(['policy', 'print', ...PEOPLE, ...words]);
  const plain = await print('--measurements', image, '--enclave', EXAMPLES);
  t.equal(plain.code, 0, plain.stderr);
  const [condition] = conditionsOf(plain.stdout);
  t.same(names(condition), ['ImageSha384', 'PCR3']);
  t.equal(condition?.['kms:RecipientAttestation:PCR3'], pcrOfRole(ROLE).value.toString('hex'));
  t.match(plain.stdout, 'kms:EncryptionContext:');
  const signed = await print('--measurements', next, '--bind', 'signed', '--instance-id', 'i-0123456789abcdef0');
  t.same(names(conditionsOf(signed.stdout)[0]), ['PCR1', 'PCR2', 'PCR3', 'PCR4', 'PCR8']);
  t.match(signed.stderr, /PCR4 binds to one instance: when it is replaced/);
  const runtime = await print('--measurements', withRuntime);
  t.equal(conditionsOf(runtime.stdout)[0]?.['kms:RecipientAttestation:PCR16'], PCR16.toString('hex'));
  t.equal(COMMITMENT_PCR, 16);
  for (const [name, bytes] of [
    ['marked.json', Buffer.from(`\ufeff${readFileSync(withRuntime, 'utf8')}`)],
    ['utf-16.json', Buffer.from(`\ufeff${readFileSync(withRuntime, 'utf8')}`, 'utf16le')],
    ['printed.json', Buffer.from(`Start building…\n${readFileSync(withRuntime, 'utf8')}`)],
  ] as const) {
    const again = await print('--measurements', write(name, bytes));
    t.equal(again.stdout, runtime.stdout, `demands PCR16 of ${name} too`);
  }
  t.same(names(conditionsOf((await print('--measurements', withRuntime, '--no-runtime')).stdout)[0]), [
    'ImageSha384',
    'PCR3',
  ]);
  t.match((await print('--measurements', image, '--iam')).stdout, 'kms:GenerateRandom');
  t.notMatch(plain.stdout, 'kms:ReplicateKey');
  t.match((await print('--measurements', image, '--replicas')).stdout, 'kms:ReplicateKey');
});

t.test('prints a roll-over, and says what leaving an image out means', async (t) => {
  const { image, next } = files(t);
  const print = (...words: string[]) => acraEnclave(['policy', 'print', ...PEOPLE, '--measurements', next, ...words]);
  const both = await print('--also', image);
  t.equal(conditionsOf(both.stdout).length, 2);
  t.match(both.stderr, /2 images may decrypt/);
  const replaced = await print('--replace', image);
  t.equal(conditionsOf(replaced.stdout).length, 1);
  t.match(replaced.stderr, /No longer in the policy: PCR0 a0a0a0a0a0a0…/);
  t.match(JSON.parse((await print('--replace', image, '--json')).stdout), {
    keyPolicy: {},
    rolePolicy: {},
    notes: [/No longer/],
  });
  t.match(await print('--replace', next), { code: 1, stderr: /CLI_OPTION/ }, 'what shall be in cannot be left out');
});

t.test('rejects measurements that do not tell what is demanded', async (t) => {
  const { image, write, withRuntime } = files(t);
  const print = (...words: string[]) => acraEnclave(['policy', 'print', ...PEOPLE, ...words]);
  t.match(await print('--measurements', image, '--bind', 'signed'), { code: 1, stderr: /CLI_OPTION.*PCR8/s });
  t.match(await print('--measurements', write('no.json', { PCR1: 'a1'.repeat(48) })), {
    code: 1,
    stderr: /CLI_OPTION.*PCR0/s,
  });
  t.match(await print('--measurements', write('debug.json', pcrs('00'))), { code: 1, stderr: /KMS_POLICY_WISH/ });
  t.match(await print('--measurements', withRuntime, '--also', image), { code: 1, stderr: /KMS_POLICY_WISH/ });
  const forged = {
    Measurements: pcrs('a0'),
    runtime: { statement: { ...STATEMENT, name: 'x' }, PCR16: PCR16.toString('hex') },
  };
  t.match(await print('--measurements', write('forged.json', forged)), { code: 1, stderr: /EIF_PCR_FILE_INVALID/ });
});

t.test('checks what is live: exit code 0 only when nothing is found', async (t) => {
  const { image, next, write } = files(t);
  const { stdout } = await acraEnclave(['policy', 'print', ...PEOPLE, '--measurements', image]);
  const live = write('live.json', { Policy: stdout, PolicyName: 'default' });
  const check = (...words: string[]) => acraEnclave(['policy', 'check', ...PEOPLE, ...words]);
  t.match(await check('--measurements', image, '--policy', live), {
    code: 0,
    stdout: /nobody else/,
    stderr: /grants were not looked at/,
  });
  const other = await check('--measurements', next, '--policy', live, '--json');
  t.equal(other.code, 1);
  const codes = JSON.parse(other.stdout).findings.map(({ code }: { code: string }) => code);
  t.ok(codes.includes('POLICY_ENCLAVE_REFUSED') && codes.includes('POLICY_UNKNOWN_IMAGE'), codes.join());
  const grants = write('grants.json', { Grants: [{ GrantId: 'g', GranteePrincipal: ROLE, Operations: ['Decrypt'] }] });
  t.match(await check('--measurements', image, '--policy', live, '--grants', grants), {
    code: 1,
    stdout: /GRANT_DENIED/,
  });
  const iam = write('iam.json', { Statement: { Effect: 'Allow', Action: 'kms:*', Resource: '*' } });
  t.match(await check('--measurements', image, '--policy', live, '--iam', iam), { code: 1, stdout: /IAM_TOO_WIDE/ });
  t.match(await check('--measurements', image, '--policy', write('x.json', '{')), {
    code: 2,
    stderr: /KMS_POLICY_SYNTAX/,
  });
  t.match(await check('--measurements', image), { code: 2 });
});

t.test('simulates a request with measurements, and with an attestation document', async (t) => {
  const { image, write } = files(t);
  const policy = write(
    'live.json',
    (await acraEnclave(['policy', 'print', ...PEOPLE, '--measurements', image])).stdout,
  );
  const ask = (...words: string[]) =>
    acraEnclave(['policy', 'simulate', '--policy', policy, '--principal', ROLE, ...words]);
  const withParent = ['--measurements', image, '--role-arn', ROLE];
  t.match(await ask(...withParent), { code: 0, stdout: /allowed by statement 4 "OnlyTheMeasuredEnclave"/ });
  t.match(await ask(), { code: 1, stdout: /denied by .*"NobodyWithAnotherImage"/ });
  t.match(await ask('--measurements', image), { code: 1, stdout: /"NobodyWithAnotherPCR3"/ }, 'no parent is named');
  t.match(await ask(...withParent, '--action', 'kms:CreateGrant'), { code: 1 });
  const json = JSON.parse((await ask(...withParent, '--json')).stdout);
  t.match(json, {
    decision: 'allow',
    statements: [{ conditions: [{ holds: 'yes', found: ['a0'.repeat(48)] }, {}] }, {}, {}],
  });
  const nsm = await nsmFixture(t, {
    clock: new FakeClock(Date.now()),
    parent: { roleArn: ROLE, instanceId: 'i-0123456789abcdef0' },
  });
  const document = await nsm.attest({});
  const own = write('own.json', { PCR0: nsm.pcrs.get([...nsm.pcrs.keys()][0]!)?.toString('hex') });
  const ofDocument = write(
    'doc.json',
    (await acraEnclave(['policy', 'print', ...PEOPLE, '--measurements', own])).stdout,
  );
  for (const content of [document, document.toString('base64')]) {
    const file = write('document', content);
    const words = ['policy', 'simulate', '--principal', ROLE, '--document', file, '--policy'];
    t.match(await acraEnclave([...words, ofDocument]), { code: 0, stderr: /signature .* not checked/ });
    t.match(await acraEnclave([...words, policy]), { code: 1 });
  }
  const noDocument = ['--document', write('nothing', 'AAAA')];
  t.match(await ask(...noDocument), { code: 2, stderr: /ATTESTATION_PAYLOAD_INVALID/ });
  t.match(await ask(...noDocument, '--measurements', image), { code: 2, stderr: /CLI_OPTION/ });
  t.match(await ask('--action', 'Decrypt'), { code: 2, stderr: /no operation of KMS/ });
  t.match(await ask('--principal', '*'), { code: 2, stderr: /nobody who could ask/ });
  t.match(await ask('--encryption-context', 'purpose'), { code: 2, stderr: /NAME=VALUE/ });
});

t.test('names in the help what the README names', async (t) => {
  t.match(readFileSync(join(PROJECT, 'README.md'), 'utf8'), 'acra-enclave policy print');
  t.match((await acraEnclave(['policy', '--help'])).stdout, /print.*check.*simulate/s);
});

t.test('rejects a key that is named otherwise than by its ARN, and one image named twice (CLI_OPTION)', async (t) => {
  const { image, write } = files(t);
  const { stdout } = await acraEnclave(['policy', 'print', ...PEOPLE, '--measurements', image]);
  const live = write('live.json', stdout);
  const alias = ['--key-arn', 'arn:aws:kms:eu-central-1:111122223333:alias/master'];
  for (const [words, code] of [
    [['print', ...PEOPLE, '--measurements', image, ...alias], 1],
    [['print', ...PEOPLE, '--measurements', image, '--also', image], 1],
    [['check', ...PEOPLE, '--measurements', image, '--policy', live, ...alias], 2],
    [['simulate', '--principal', ROLE, '--policy', live, ...alias], 2],
  ] as const) {
    const outcome = await acraEnclave(['policy', ...words]);
    t.equal(outcome.code, code, words[0]);
    t.match(outcome.stderr, /^error CLI_OPTION: (--key-arn is not the ARN of a key|.* named already)/);
  }
});

t.test(
  'rejects measurements of an application without its folder, which says what it does with keys (CLI_OPTION)',
  async (t) => {
    const { write } = files(t);
    const PCR16 = pcrOfCommitment(commitmentTo(encodeStatement(APP))).toString('hex');
    const app = write('app.json', { Measurements: pcrs('a0'), runtime: { statement: APP, PCR16 } });
    const outcome = await acraEnclave(['policy', 'print', ...PEOPLE, '--measurements', app]);
    t.match(outcome, { code: 1, stdout: '', stderr: /CLI_OPTION.*--enclave/ });
  },
);

t.test(
  'prints and checks the policy of a key that an application uses, and says what no attestation guards',
  async (t) => {
    const { image, write } = files(t);
    const folder = temporaryFolder(t);
    const key = (id: string) => `arn:aws:kms:eu-central-1:111122223333:key/${id}`;
    const allow = [
      { key: key('one'), actions: ['Decrypt', 'Encrypt', 'ReEncrypt'] },
      { key: key('two'), actions: ['Sign'] },
    ];
    const programs = { main: { command: ['/main'] } };
    const kmsProxy = { regions: [{ region: 'eu-central-1' }], allow };
    writeFileSync(
      join(folder, 'enclave.yaml'),
      JSON.stringify({ version: 1, workload: 'app', name: 'secrets', programs, kmsProxy }),
    );
    const run = (command: string, ...words: string[]) =>
      acraEnclave(['policy', command, ...PEOPLE, '--measurements', image, '--enclave', folder, ...words]);
    const one = await run('print', '--key-arn', key('one'));
    t.equal(one.code, 0, one.stderr);
    const actions = Object.fromEntries(
      JSON.parse(one.stdout).Statement.map(({ Sid, Action }: { Sid: string; Action: unknown }) => [Sid, Action]),
    );
    t.match(actions, {
      OnlyTheMeasuredEnclave: 'kms:Decrypt',
      WhoeverHasTheRole: ['kms:Encrypt', 'kms:ReEncryptTo'],
      NobodySealsOrHandsOn: ['kms:CreateGrant', 'kms:ReEncryptFrom'],
    });
    t.match(one.stderr, /no attestation for kms:Encrypt, kms:ReEncryptTo: whoever has .*role\/acra-enclave/);
    t.match(one.stderr, /kms:ReEncryptFrom is denied/);
    t.notMatch(one.stderr, /encryption context/);
    const live = write('live.json', one.stdout);
    t.match(await run('check', '--key-arn', key('one'), '--policy', live), { code: 0 });
    t.match(await run('check', '--key-arn', key('two'), '--policy', live), {
      code: 1,
      stdout: /POLICY_ENCLAVE_REFUSED/,
    });
    t.match(await run('print'), { code: 1, stderr: /CLI_OPTION.*2 keys.*key\/one/s });
    t.match(await run('print', '--key-arn', key('three')), { code: 1, stderr: /CLI_OPTION/ });
  },
);
