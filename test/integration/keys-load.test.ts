/** Keys that operators keep, by commands alone: a ceremony, shares that they load after each start, and what they are kept from. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { simulatedFolders } from '../../cli/simulated/folders.ts';
import { loadOrCreateNsmRoot } from '../../emulator/nsm/root.ts';
import { writePem } from '../../encoding/pem.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import { acraEnclave } from '../cli/support/acra-enclave.ts';
import { prepareStack, step } from '../support/stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { keepByOperators } from './support/kept-keys.ts';
import { Keys } from './support/key-desk.ts';

t.test('serves when enough operators have loaded their shares, and waits for them after each start', async (t) => {
  const folder = temporaryFolder(t);
  const sets = { keys: { folder: join(folder, 'sets') } };
  const stack = await prepareStack(t, {
    keysSource: 'parent',
    operators: ['alice', 'bob', 'carol'],
    hostSettings: sets,
  });
  const privateKeys = keepByOperators(stack);
  const fileOf = (name: string, encryption: object = {}) => {
    const file = join(folder, `${name}.pem`);
    const pem = privateKeys.get(name)?.export({ type: 'pkcs8', format: 'pem', ...encryption }) ?? '';
    writeFileSync(file, pem, { mode: 0o600 });
    return file;
  };
  const passphraseFile = join(folder, 'passphrase');
  writeFileSync(passphraseFile, 'correct horse\n', { mode: 0o600 });
  const [alice, carol] = [fileOf('alice'), fileOf('carol')];
  const bob = fileOf('bob', { cipher: 'aes-256-cbc', passphrase: 'correct horse' });

  const { root } = stack.options;
  const rootPem = await rootFileOf(root, folder);
  const pcr0 = stack.measure().get(toPcrIndex(0))?.toString('hex');
  const proof = ['--pcr', `0=${pcr0}`, '--trust-root', rootPem];
  const run = (...words: string[]) => acraEnclave(['keys', ...words, '--socket', join(root, 'host', 'command.sock')]);
  const load = (...words: string[]) => run('load', ...proof, ...words);
  const keys = new Keys(stack);
  const awaitsShares = (loaded: string) =>
    stack.enclave.until(({ enclave }) => enclave?.detail?.includes(`operators: ${loaded}`) === true, step());

  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  await keys.untilAwaited();
  const [signer] = stack.parts.operators;
  const client = join(folder, 'client.pem');
  writeFileSync(client, stack.parts.certificates.client.certificatePem);
  const asked = ['--enclave', stack.enclaveFolder, '--key', signer?.privateKeyFile ?? '', ...proof];
  const made = await run('ceremony', ...asked, '--client', client, '--json');
  t.equal(made.code, 0, made.stderr);
  t.match(JSON.parse(made.stdout), { generation: 1, taken: false, problem: { code: 'KEY_SHARES_AWAITED' } });
  await awaitsShares('0 of 2');
  t.match((await run('status')).stdout, /waiting for key shares of operators: 0 of 2/);

  await t.test('shows what it gives the share to, and counts it', async (t) => {
    const loaded = await load('--key', alice, '--yes');
    t.equal(loaded.code, 0, loaded.stderr);
    t.match(loaded.stdout, `${pcr0}, proved`);
    t.match(loaded.stdout, /key set\s+generation 1, [0-9a-f]{64}/);
    t.match(loaded.stdout, /is opened by\s+2 of alice, bob, carol/);
    t.match(loaded.stdout, /loaded.* the share of alice: 1 of 2 \(alice\)/);
    await awaitsShares('1 of 2 (alice)');
  });

  await t.test('loads nothing that an operator has not looked at, or should not', async (t) => {
    t.match((await load('--key', carol)).stderr, 'nobody is asked: nothing was loaded');
    t.match((await load('--key', carol, '--yes', '--newest', '2')).stderr, 'KEY_SET_ROLLED_BACK');
    const other = ['--pcr', `0=${'12'.repeat(48)}`, '--trust-root', rootPem];
    t.match((await run('load', ...other, '--key', carol, '--yes')).stderr, 'ATTESTATION_PCR_MISMATCH');
    chmodSync(carol, 0o640);
    t.match((await load('--key', carol, '--yes')).stderr, /KEY_OPERATOR_KEY_INVALID[\s\S]*mode 640/);
    chmodSync(carol, 0o600);
    t.match((await load('--key', bob, '--yes')).stderr, 'KEY_OPERATOR_KEY_ENCRYPTED');
    const signing = await load('--key', signer?.privateKeyFile ?? '', '--yes');
    t.match(signing.stderr, 'KEY_OPERATOR_KEY_INVALID');
    await awaitsShares('1 of 2 (alice)');
  });

  await t.test('serves with the second share, and changes keys without calling anybody', async (t) => {
    const loaded = await load('--key', bob, '--passphrase-file', passphraseFile, '--yes', '--json');
    t.equal(loaded.code, 0, loaded.stderr);
    t.match(JSON.parse(loaded.stdout), { operator: 'bob', generation: 1, loaded: ['alice', 'bob'], taken: true });
    await stack.enclave.untilServing(step());
    const reshared = await run('reshare', ...asked, '--json');
    t.equal(reshared.code, 0, reshared.stderr);
    t.match(JSON.parse(reshared.stdout), { generation: 2, taken: true });
  });

  await t.test('waits for them again after a start', async (t) => {
    await stack.enclave.supervisor?.stop();
    stack.enclave.startSupervisor();
    await awaitsShares('0 of 2');
    for (const key of [carol, alice]) {
      const loaded = await load('--key', key, '--yes', '--newest', '2');
      t.equal(loaded.code, 0, loaded.stderr);
    }
    await stack.enclave.untilServing(step());
    t.equal((await run('status')).code, 0);
    const audit = await acraEnclave([
      'keys',
      'audit',
      'verify',
      join(folder, 'sets', 'audit.jsonl'),
      '--trust-root',
      rootPem,
    ]);
    t.equal(audit.code, 0, audit.stdout + audit.stderr);
  });
});

/** @returns the file of the root that vouches for simulated enclaves of this stack */
async function rootFileOf(root: string, folder: string): Promise<string> {
  const { rootDer } = await loadOrCreateNsmRoot(simulatedFolders(join(root, 'sim')).nsmFolder);
  const file = join(folder, 'root.pem');
  writeFileSync(file, writePem('CERTIFICATE', rootDer));
  return file;
}
