/**
 * The rehearsal of docs/backup.md: keys are born and changed, their folder is copied away, the parent loses it, and what comes back from the
 * copy serves. What must not come back is refused, each with its code.
 */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DecryptCommand } from '@aws-sdk/client-kms';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { ENCRYPTION_CONTEXT } from '../../cli/demo/parts.ts';
import { writeVerificationFiles } from '../../cli/demo/verification.ts';
import { KEY_SET_FILE, TRANSCRIPT_FILE } from '../../host-proxy/keys/stored-set.ts';
import { acraEnclave } from '../cli/support/acra-enclave.ts';
import { sdkClient } from '../emulator/support/kms-fixture.ts';
import { prepareStack, step } from '../support/stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { connect, type KeptSet, Keys, setOf } from './support/key-desk.ts';
import { changeInDatabase } from './support/verifier-login.ts';

const ROW = "INSERT INTO patients VALUES (1, 'Ada', 'ada@example.org', 'well')";
const READ = "SELECT diagnosis FROM patients WHERE email = 'ada@example.org'";

t.test('serves again with what comes back from a copy, and takes nothing else', async (t) => {
  const [copies, keysFolder] = [join(temporaryFolder(t), 'copies'), join(temporaryFolder(t), 'keys')];
  const stack = await prepareStack(t, { keysSource: 'parent', hostSettings: { keys: { folder: keysFolder } } });
  const { cloud, keyArn, operators, clientFiles } = stack.parts;
  const { enclave } = stack;
  const { measurements, trustRoot } = await writeVerificationFiles(stack);
  const allow = (folder = stack.enclaveFolder, ...generations: readonly number[]) =>
    cloud.putKeyPolicy(keyArn, stack.measure(folder), {
      encryptionContext: ENCRYPTION_CONTEXT,
      keysBornInEnclave: true,
      generations,
    });
  const told = (code: string) => enclave.until(({ reason }) => reason?.code === code, step());
  const keysCommand = async (...words: readonly string[]) => {
    const options = ['--enclave', stack.enclaveFolder, '--measurements', measurements, '--trust-root', trustRoot];
    const key = ['--key', operators[0]?.privateKeyFile ?? '', '--config', join(stack.options.root, 'host-proxy.yaml')];
    const { code, stdout, stderr } = await acraEnclave(['keys', ...words, ...options, ...key, '--json']);
    t.equal(code, 0, `${words[0]}: ${stderr}`);
    return JSON.parse(stdout);
  };
  const readsTheRow = async () => {
    const client = await connect(stack, await enclave.untilServing(step()));
    t.same((await client.query(READ)).rows, [{ diagnosis: 'well' }]);
    await client.end();
  };
  /** Both daemons anew, on a parent that has no key set. */
  const loseTheParent = async () => {
    await enclave.stop();
    rmSync(keysFolder, { recursive: true });
    await enclave.start();
  };
  const restore = (set: string) => cpSync(join(copies, set), join(keysFolder, set), { recursive: true });
  const inCopy = (set: string): KeptSet => {
    const read = (file: string) => readFileSync(join(copies, set, file)).toString('base64');
    return { keySet: read(KEY_SET_FILE), transcript: read(TRANSCRIPT_FILE) };
  };

  await allow();
  await enclave.start();
  await told('HOST_KEYS_MISSING');
  const first = await keysCommand('ceremony', '--client', clientFiles.certificate);
  await changeInDatabase(stack, /'(SCRAM[^']+)'/.exec(first.database[0])?.[1] ?? '');
  const client = await connect(stack, await enclave.untilServing(step()));
  await client.query(ROW);
  await client.end();
  t.match(await keysCommand('rotate', 'master'), { generation: 2, taken: true });
  cpSync(keysFolder, copies, { recursive: true });
  const [older = '', newest = ''] = readdirSync(copies)
    .filter((name) => /^\d{6}-/.test(name))
    .toSorted();

  await t.test('a copy holds nothing that opens without KMS and an enclave', async (t) => {
    for (const file of readdirSync(copies, { recursive: true, withFileTypes: true }).filter((each) => each.isFile())) {
      const text = readFileSync(join(file.parentPath, file.name), 'latin1');
      t.notMatch(text, /PRIVATE KEY/, file.name);
    }
    const { keeper } = setOf(inCopy(newest));
    const sealed = keeper.kind === 'kms' ? keeper.dataKey : '';
    t.ok(sealed.length > 50, 'the data key, under the KMS key');
    const administrator = sdkClient(t, cloud.kms, cloud.kms.adminCredentials);
    const EncryptionContext = { ...ENCRYPTION_CONTEXT, 'acra-enclave-generation': '2' };
    const decrypt = new DecryptCommand({
      KeyId: keyArn,
      CiphertextBlob: Buffer.from(sealed, 'base64'),
      EncryptionContext,
    });
    await t.rejects(administrator.send(decrypt), { name: 'AccessDeniedException' });
  });

  await t.test('the newest set brings the service back on a parent that has lost everything', async () => {
    await loseTheParent();
    await told('HOST_KEYS_MISSING');
    restore(newest);
    await readsTheRow();
  });

  await t.test('an enclave that works refuses an older set (KEY_SET_ROLLED_BACK)', async (t) => {
    t.match(await new Keys(stack).bring(inCopy(older)), { type: 'refusal', code: 'KEY_SET_ROLLED_BACK' });
    await readsTheRow();
  });

  await t.test('KMS opens no older set where the policy names the generation (KMS_ACCESS_DENIED)', async () => {
    await allow(stack.enclaveFolder, 2);
    await loseTheParent();
    await told('HOST_KEYS_MISSING');
    restore(older);
    await told('KMS_ACCESS_DENIED');
    restore(newest);
    await readsTheRow();
  });

  await t.test('the set of another enclave is refused, whatever its folder is called', async (t) => {
    const { folder, pair } = stack.copyEnclave('other');
    const file = join(folder, 'enclave.yaml');
    writeFileSync(file, stringify({ ...parse(readFileSync(file, 'utf8')), name: 'other' }));
    await allow(folder);
    await enclave.stop();
    await pair.start();
    const others = new Keys(stack, { root: join(stack.options.root, 'other'), pair });
    await others.untilAwaited();
    const foreign = await others.ceremony(others.clientIds, { enclave: 'other' });
    await pair.stop();
    await allow();
    rmSync(keysFolder, { recursive: true });
    await enclave.start();
    const keys = new Keys(stack);
    await keys.untilAwaited();
    t.match(await keys.bring(foreign), { type: 'refusal', code: 'KEY_SET_OTHER_ENCLAVE' });
    const renamed = Buffer.from(foreign.keySet, 'base64').toString().replace('"name":"other"', '"name":"demo"');
    const posing = { ...foreign, keySet: Buffer.from(renamed).toString('base64') };
    t.match(await keys.bring(posing), { type: 'refusal', code: 'KEY_TRANSCRIPT_OTHER_SET' });
    restore(newest);
    await readsTheRow();
  });
});
