/** The keystore of a measured folder is the old one or the new one, whenever a process that changes it is killed, and whoever else does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

/** @returns how many steps there were; undefined: it was killed at that one */
async function runUntil(step: number, what: 'rotate' | 'forget', folder: string): Promise<number | undefined> {
  const support = (name: string) => fileURLToPath(new URL(`support/${name}`, import.meta.url));
  const args = ['--import', support('end-at-step.ts'), support('rotate-main.ts'), what, folder, ...CLIENTS];
  const env = { ...process.env, END_AT_STEP: String(step) };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += String(chunk);
  });
  const [code, signal] = await once(child, 'close');
  if (code !== 0 && signal !== 'SIGKILL') throw new Error(`ended with ${code ?? signal}`);
  return code === 0 ? Number(said) : undefined;
}

/** Each of the last ones, among which the exchange is, and some of those before. */
const stepsOf = (count: number) =>
  Array.from({ length: count }, (_, step) => step).filter((step) => step % 6 === 1 || step > count - 8);

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
    const count = await runUntil(-1, what, copyOf('whole'));
    t.ok(count && count > 20, `${count} steps`);
    const seen = new Set<string>();
    for (const step of stepsOf(count ?? 0)) {
      const folder = copyOf(`step-${step}`);
      t.equal(await runUntil(step, what, folder), undefined, `killed at step ${step}`);
      const after = await soundIds(t, folder);
      const isOld = JSON.stringify(after) === JSON.stringify(before);
      seen.add(isOld ? 'old' : 'new');
      if (!isOld) t.ok(isNew(what, before, after), `step ${step}: new for every client`);
      t.equal(typeof (await runUntil(-1, what, folder)), 'number', 'and the next run goes through');
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
