/** The keystore of a measured folder is the old one or the new one, whenever a process that changes it is killed, and whoever else does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { stringify } from 'yaml';
import { checkKeystore } from '../../acra/keystore/check.ts';
import type { ClientKeyIds } from '../../acra/keystore/client-key-ids.ts';
import { createKeystore } from '../../acra/keystore/create.ts';
import { clientKeyIds } from '../../acra/keystore/key-ids.ts';
import { enclaveSchema } from '../../config/enclave.ts';
import { loadConfig } from '../../config/load.ts';
import { forgetDataKeys, rotateDataKeys } from '../../keys/data-keys.ts';
import { KeyError } from '../../keys/errors.ts';
import { encodeMasterKeyFile } from '../../keys/master-key-file.ts';
import { StopRequested } from '../../runtime/abort.ts';
import { systemRandom } from '../../runtime/random.ts';
import { masterKey, masterKeyBytes } from '../acra/support/at-rest.ts';
import { contentsBelow } from '../acra/support/contents-below.ts';
import { rejectsCode } from '../support/coded-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

t.setTimeout(300_000);

const PRELOAD = join(import.meta.dirname, '../support/kill-at.ts');
const PROGRAM = join(import.meta.dirname, 'support/rotate-main.ts');
const EVERY = 12;
const LAST = 7;
const CLIENTS = ['first client', 'second client'];
const kms = {
  region: 'eu-central-1',
  keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555',
  encryptionContext: { purpose: 'test' },
};

async function measuredFolder(t: Test): Promise<string> {
  const folder = temporaryFolder(t);
  writeFileSync(
    join(folder, 'enclave.yaml'),
    stringify({ version: 1, name: 'test', ingress: { tls: 'passthrough' }, database: { serverName: 'db.test' }, kms }),
  );
  const { keyArn, encryptionContext } = kms;
  const file = encodeMasterKeyFile({
    keyArn,
    encryptionContext,
    ciphertext: Buffer.from('sealed'),
    serverKeySha256: undefined,
  });
  writeFileSync(join(folder, 'master-key.json'), file);
  const keystore = join(folder, 'keystore');
  await createKeystore({ folder: keystore, masterKey: masterKey(), clientIds: CLIENTS, random: systemRandom });
  return folder;
}

const keystoreIn = (folder: string) => join(folder, 'keystore');

function optionsIn(folder: string) {
  return {
    folder,
    config: loadConfig(enclaveSchema, join(folder, 'enclave.yaml')),
    clientIds: CLIENTS,
    nowMs: Date.now(),
    random: systemRandom,
    decrypt: () => Promise.resolve(masterKeyBytes()),
    signal: new AbortController().signal,
  };
}

/** Of a keystore in which nothing is wrong. */
async function soundIds(t: Test, folder: string) {
  const report = await checkKeystore({ folder: keystoreIn(folder), masterKey: masterKey() });
  t.same(report.findings, []);
  return clientKeyIds({ folder: keystoreIn(folder), masterKey: masterKey() });
}

/** @param at number of the step that it is killed before; none: to the end. @returns the steps that there were */
async function run(what: 'rotate' | 'forget', folder: string, at?: number): Promise<readonly string[]> {
  const steps = `${folder}.steps`;
  const args = ['--import', PRELOAD, PROGRAM, what, folder, ...CLIENTS];
  const environment = { KILL_UNDER: folder, KILL_STEPS: steps, ...(at !== undefined && { KILL_AT: String(at) }) };
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code, signal] = await once(child, 'close');
  if (at === undefined ? code !== 0 : signal !== 'SIGKILL') throw new Error(`ended with ${code ?? signal}`);
  return readFileSync(steps, 'utf8').trim().split('\n');
}

/** The last ones, among which the exchange is, and some of those before. */
const chosenOf = (steps: readonly string[]) =>
  [...steps.entries()].filter(([at]) => at % EVERY === 1 || at >= steps.length - LAST);

for (const what of ['rotate', 'forget'] as const) {
  t.test(`${what}: whichever step SIGKILL comes at, the keystore is the old one or the new one`, async (t) => {
    const start = await measuredFolder(t);
    if (what === 'forget') await rotateDataKeys(optionsIn(start));
    const before = await soundIds(t, start);
    const copyOf = (name: string) => {
      const folder = join(temporaryFolder(t), name);
      cpSync(start, folder, { recursive: true });
      return folder;
    };
    const steps = await run(what, copyOf('whole'));
    t.ok(steps.length > 20, `${steps.length} steps`);
    const seen = new Set<string>();
    for (const [at, step] of chosenOf(steps)) {
      const folder = copyOf(`step-${at}`);
      await run(what, folder, at);
      const after = await soundIds(t, folder);
      const isOld = JSON.stringify(after) === JSON.stringify(before);
      seen.add(isOld ? 'old' : 'new');
      if (!isOld) t.ok(isNew(what, before, after), `killed before step ${at}, ${step}: new for every client`);
      await run(what, folder);
      await soundIds(t, folder);
    }
    t.same([...seen], ['old', 'new'], 'there were steps before and behind the exchange');
  });
}

function isNew(what: 'rotate' | 'forget', before: readonly ClientKeyIds[], after: readonly ClientKeyIds[]): boolean {
  return after.every(({ current, old }, index) => {
    const was = before[index];
    const isSame = current === was?.current;
    return what === 'forget' ? isSame && old.length === 0 : !isSame && old.includes(was?.current ?? '');
  });
}

t.test('takes nothing away that somebody else adds meanwhile (KEY_KEYSTORE_CHANGED)', async (t) => {
  const folder = await measuredFolder(t);
  const keystore = keystoreIn(folder);
  const other = join(folder, 'other');
  await createKeystore({
    folder: other,
    masterKey: masterKey(),
    clientIds: ['third client'],
    random: systemRandom,
    poison: false,
  });
  let changed: object = {};
  const random = {
    bytes: (length: number) => {
      cpSync(other, keystore, { recursive: true });
      changed = contentsBelow(keystore);
      return systemRandom.bytes(length);
    },
  };
  await rejectsCode(() => rotateDataKeys({ ...optionsIn(folder), random }), KeyError, 'KEY_KEYSTORE_CHANGED');
  t.same(contentsBelow(keystore), changed, 'what they made of it is there');
  t.same(readdirSync(folder).toSorted(), ['enclave.yaml', 'keystore', 'master-key.json', 'other']);
});

t.test('leaves all as it was when it is stopped, or when the proof is refused', async (t) => {
  const folder = await measuredFolder(t);
  await rotateDataKeys(optionsIn(folder));
  const before = contentsBelow(folder);
  const stopped = AbortSignal.abort(new StopRequested('stopped'));
  await t.rejects(rotateDataKeys({ ...optionsIn(folder), signal: stopped }), { message: 'stopped' });
  const refuse = () => {
    throw new KeyError('KEY_PROOF', 'no');
  };
  const forgetting = { ...optionsIn(folder), keepsPairs: false, requireProof: refuse };
  await rejectsCode(() => forgetDataKeys(forgetting), KeyError, 'KEY_PROOF');
  t.same(contentsBelow(folder), before);
});
