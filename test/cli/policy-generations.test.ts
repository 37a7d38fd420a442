/** `policy print|check|simulate` for keys that are born in the enclave: which generation opens, and what is said where none is named. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parse, stringify } from 'yaml';
import { PROJECT } from '../project/imports.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave } from './support/acra-enclave.ts';

const ROLE = 'arn:aws:iam::111122223333:role/acra-enclave';
const ADMINISTRATOR = 'arn:aws:iam::111122223333:user/administrator';
const PEOPLE = ['--role-arn', ROLE, '--administrator', ADMINISTRATOR, '--policy-administrator', ADMINISTRATOR];
const NOT_EXCLUDED = 'Rollback is not excluded';

/** The example, with an enclave that makes its keys. */
function folderOf(test: Test, pin: string) {
  const folder = temporaryFolder(test);
  const write = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  mkdirSync(join(folder, 'enclave'));
  const example = parse(readFileSync(join(PROJECT, 'examples/enclave.yaml'), 'utf8'));
  const keys = { source: 'parent', operators: [{ name: 'anna', key: 'anna.pem' }], pin };
  const tls = { key: 'attested', names: ['db.example.com'] };
  const { acra: _, ...rest } = example;
  write('enclave/enclave.yaml', stringify({ ...rest, tls, keys }));
  const pcrs = { PCR0: 'a0'.repeat(48), PCR1: 'a1'.repeat(48), PCR2: 'a2'.repeat(48) };
  const measurements = ['--measurements', write('measurements.json', JSON.stringify({ Measurements: pcrs }))];
  const run = (command: string, ...words: readonly string[]) => acraEnclave(['policy', command, ...words]);
  const wish = [...PEOPLE, ...measurements, '--enclave', join(folder, 'enclave')];
  return {
    write,
    print: (...words: readonly string[]) => run('print', ...wish, ...words),
    check: (live: string, ...words: readonly string[]) => run('check', ...wish, '--policy', live, ...words),
    simulate: (live: string, ...words: readonly string[]) =>
      run('simulate', ...measurements, '--policy', live, '--role-arn', ROLE, '--principal', ROLE, ...words),
    context: Object.entries(example.kms.encryptionContext).flatMap(([name, value]) => [
      '--encryption-context',
      `${name}=${value}`,
    ]),
  };
}

const generations = (...numbers: readonly number[]) => numbers.flatMap((each) => ['--generation', String(each)]);
const codesOf = (stdout: string) => JSON.parse(stdout).findings.map(({ code }: { code: string }) => code);

t.test(
  'takes keys for born in the enclave where enclave.yaml says so, and says that rollback is not excluded',
  async (t) => {
    const { print } = folderOf(t, 'none');
    const { code, stdout, stderr } = await print();
    t.equal(code, 0, stderr);
    t.match(stdout, 'NobodySealsOutsideOrHandsOn');
    t.notMatch(stdout, 'AdministratorsSealMasterKeys');
    t.notMatch(stdout, 'acra-enclave-generation');
    t.match(stderr, NOT_EXCLUDED);
    t.match(stderr, 'keys ceremony');
  },
);

t.test('demands the generations that are named, and says that the older one must go', async (t) => {
  const { print } = folderOf(t, 'policy');
  const one = await print(...generations(7));
  t.match(one.stdout, '"kms:EncryptionContext:acra-enclave-generation": "7"');
  t.match(one.stdout, 'NobodyWithAnotherGeneration');
  t.notMatch(one.stderr, NOT_EXCLUDED);
  t.match(one.stderr, '--generation 7 --generation 8');
  const two = await print(...generations(7, 8));
  t.match(two.stderr, 'generation 7 open beside those of 8. Once the enclave has taken the newer one, name that alone');
  t.match(await print(...generations(6, 7, 8)), { code: 1, stderr: /KMS_POLICY_WISH/ });
  for (const wrong of ['0', '07x', '-1', '1.5']) t.not((await print('--generation', wrong)).code, 0, wrong);
});

t.test('says nothing of rollback where the measured configuration pins one key set', async (t) => {
  const { print, write, check } = folderOf(t, 'cd'.repeat(32));
  const { stdout, stderr } = await print();
  t.notMatch(stderr, NOT_EXCLUDED);
  const checked = await check(write('live.json', stdout), '--json');
  t.match(JSON.parse(checked.stdout), { findings: [], isRollbackExcluded: true });
});

t.test('checks a live policy for the generation that enclave.yaml relies on', async (t) => {
  const { print, write, check } = folderOf(t, 'policy');
  const free = write('free.json', (await print()).stdout);
  t.same(codesOf((await check(free, '--json')).stdout), ['POLICY_GENERATION_FREE']);
  t.match((await check(free)).stderr, NOT_EXCLUDED);
  const pinned = write('pinned.json', (await print(...generations(7))).stdout);
  t.match(await check(pinned, ...generations(7)), { code: 0, stdout: /nobody else/ });
  const changing = write('changing.json', (await print(...generations(7, 8))).stdout);
  t.same(codesOf((await check(changing, ...generations(7, 8), '--json')).stdout), ['POLICY_GENERATIONS']);
  t.ok(codesOf((await check(changing, ...generations(8), '--json')).stdout).includes('POLICY_GENERATION'));
});

t.test('simulates which generation opens', async (t) => {
  const { print, write, simulate, context } = folderOf(t, 'policy');
  const live = write('live.json', (await print(...generations(7))).stdout);
  t.match(await simulate(live, ...context, ...generations(7)), { code: 0 });
  const older = await simulate(live, ...context, ...generations(6));
  t.equal(older.code, 1);
  t.match(older.stdout, 'NobodyWithAnotherGeneration');
  t.match(await simulate(live, ...context, ...generations(8), '--action', 'kms:GenerateDataKey'), { code: 0 });
});
