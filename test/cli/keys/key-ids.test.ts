/** Ids of data keys as operators get them of an enclave that makes its keys itself, and what is demanded before old ones go. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import { ENCRYPTOR_YAML } from '../../../cli/demo/database.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { keptKeys } from './support/kept-keys.ts';

const parts = await keptKeys(t, ['alice']);
const { folder, enclave, machine, keys, keysFolder, proof, startDaemon, run } = parts;
const [alice = ''] = keys;
const change = ['--enclave', folder.enclave, '--key', alice, ...proof];
const CLIENT = ['--client', folder.firstClient];
await startDaemon();
await machine.connect();

async function made(...words: readonly string[]) {
  const { code, stdout, stderr } = await run(...words, ...change, ...CLIENT, '--json');
  if (code !== 0) throw new Error(stderr);
  return join(keysFolder, JSON.parse(stdout).name);
}

const first = await made('ceremony');
const second = await made('rotate', 'data');
const ids = (...words: readonly string[]) => run('ids', '--enclave', folder.enclave, ...proof, ...words);
/** No daemon is asked. */
const idsIn = (set: string, ...words: readonly string[]) => folder.keys('ids', ...proof, '--key-set', set, ...words);
const known = enclave.taken?.keyIds ?? [];

t.test('prints the ids of the set that the enclave works with, for data reencrypt', async (t) => {
  const { code, stdout, stderr } = await ids('--json');
  t.equal(code, 0, stderr);
  t.same(JSON.parse(stdout), { version: 1, clients: known });
  t.match(known, [{ current: /^[0-9a-f]{4}$/, old: [/^[0-9a-f]{4}$/] }]);
  t.equal(
    (await ids()).stdout.trim().split('\n').at(-1),
    [known[0]?.clientId, known[0]?.current, ...(known[0]?.old ?? [])].join(' '),
  );
});

t.test('prints the ids of a set in a folder, and says which generation it is', async (t) => {
  t.same(JSON.parse((await idsIn(second, '--json')).stdout).clients, known);
  const older = await idsIn(first, '--json');
  t.match(older.stderr, /generation 1,/);
  t.same(JSON.parse(older.stdout).clients, [{ ...known[0], current: known[0]?.old[0], old: [] }]);
});

t.test('rejects ids that the parent has changed, and a set of another image', async (t) => {
  const changed = temporaryFolder(t);
  const text = readFileSync(join(second, 'key-set.json'), 'utf8');
  writeFileSync(join(changed, 'key-set.json'), text.replace(`"current":"${known[0]?.current}"`, '"current":"0000"'));
  writeFileSync(join(changed, 'transcript.json'), readFileSync(join(second, 'transcript.json')));
  const lied = await idsIn(changed, '--json');
  t.match(lied, { code: 78, stderr: /KEY_TRANSCRIPT_OTHER_SET/ });
  t.notMatch(lied.stdout, 'clients');
  const other = ['--pcr', `0=${'ab'.repeat(48)}`, '--trust-root', parts.trustRoot, '--key-set', second];
  t.match(await folder.keys('ids', ...other), { code: 78, stderr: /KEY_TRANSCRIPT_OTHER_IMAGE/ });
  t.match(await idsIn(temporaryFolder(t)), { code: 1, stderr: /CLI_OPTION.*holds no key set/ });
});

t.test(
  'names the options that it needs where it is asked as if the keys lay in the folder (CLI_KEYS_AT_PARENT)',
  async (t) => {
    t.match(await folder.keys('ids'), { code: 1, stderr: /CLI_KEYS_AT_PARENT.*--socket PATH or --key-set FOLDER/ });
  },
);

t.test('has old keys forgotten, and signs for it, upon proof alone', async (t) => {
  const { tables } = parseEncryptorConfig(ENCRYPTOR_YAML, 'encryptor.yaml');
  const proofs = (ofIds: object, leftOut: number) =>
    [...tables.values()].slice(leftOut).map(({ name, encrypted }, index) => {
      const content = { outcome: 'proved', ...ofIds, table: name, columns: [...encrypted.keys()] };
      return folder.write(`proof-${index}.json`, JSON.stringify(content));
    });
  const forget = (files: readonly string[], ...words: readonly string[]) =>
    run('forget-old', ...change, ...CLIENT, '--proof', ...files, ...words);
  const isRefused = async (code: string, files: readonly string[], ...words: readonly string[]) => {
    const before = enclave.asked.length;
    const { code: exit, stderr } = await forget(files, ...words);
    t.not(exit, 0);
    t.match(stderr, new RegExp(code));
    t.notOk(enclave.asked.slice(before).includes('change-keys'), `${code}: nothing was asked for`);
  };
  await isRefused('KEY_PROOF', [folder.write('nothing.json', '{}')]);
  await isRefused('KEY_PROOF', proofs({ ...known[0], current: known[0]?.old[0], old: [] }, 0));
  await isRefused('KEY_PROOF', proofs({ ...known[0], clientId: 'ab'.repeat(64) }, 0));
  await isRefused('CLI_KEYS_OTHER_SET', proofs({ ...known[0] }, 0), '--key-set', first);

  const request = join(temporaryFolder(t), 'request.json');
  const right = proofs({ ...known[0] }, 0);
  const unsigned = ['--enclave', folder.enclave, ...proof, ...CLIENT, '--proof', ...right, '--out', request];
  t.equal((await run('forget-old', ...unsigned)).code, 0);
  const approve = (...words: readonly string[]) =>
    parts.approve(request, '--enclave', folder.enclave, '--key', alice, '--yes', ...proof, ...words);
  t.match(await approve(), { code: 1, stderr: /CLI_OPTION.*only upon proof/ });
  t.match(await approve('--key-set', second, '--proof', folder.write('other.json', '{}')), { stderr: /KEY_PROOF/ });
  t.match(await approve('--key-set', first, '--proof', ...right), { stderr: /CLI_KEYS_OTHER_SET/ });
  t.match(await approve('--key-set', second, '--proof', ...right), { code: 0, stdout: /is lost[\s\S]*signed/ });

  const yaml = readFileSync(join(folder.enclave, 'encryptor.yaml'), 'utf8');
  // As if one column less were protected: the proof would not be demanded of it.
  folder.write('enclave/encryptor.yaml', `${yaml}# changed since\n`);
  await isRefused('CLI_OPTION.*built from', right, '--key-set', second);
  t.match(await approve('--key-set', second, '--proof', ...right), { stderr: /CLI_OPTION.*built from.*commits to/ });
  folder.write('enclave/encryptor.yaml', yaml);

  const { code, stdout, stderr } = await forget(proofs({ ...known[0] }, 0), '--key-set', second);
  t.equal(code, 0, stderr);
  t.match(
    stdout,
    /TAKE AWAY the old data keys[\s\S]*is lost *backups and dumps[\s\S]*generation 3[\s\S]*older key sets still have/,
  );
  t.same(enclave.taken?.keyIds, [{ ...known[0], old: [] }]);
});

t.test('prints no ids of a set that the enclave does not work with (CLI_KEYS_OTHER_SET)', async (t) => {
  enclave.refusing.set('bring-keys', 'KEY_SET_INVALID');
  t.equal((await run('rotate', 'data', ...change, ...CLIENT)).code, 0);
  const answer = await ids('--json');
  enclave.refusing.clear();
  t.match(answer, { code: 1, stderr: /CLI_KEYS_OTHER_SET/ });
});
