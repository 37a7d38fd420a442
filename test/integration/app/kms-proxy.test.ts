/** KMS of a program in a simulated enclave, through both daemons: by the policy of its measurements, and by no other. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { stringify } from 'yaml';
import { measurePcr } from '../../../attestation/pcr.ts';
import { REGION, startCloud } from '../../../cli/demo/cloud.ts';
import { simulatedFolders } from '../../../cli/simulated/folders.ts';
import { measureSimulatedEnclave } from '../../../cli/simulated/measure.ts';
import { loadOrCreateNsmRoot } from '../../../emulator/nsm/root.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import { logLines } from '../../support/stack.ts';
import { AppPair, freePort } from './support/app-pair.ts';

const USES = ['Decrypt', 'Encrypt', 'GenerateDataKey'];
const PROGRAM = join(import.meta.dirname, 'support/kms-program.ts');
const PLAINTEXT = 'the plaintext of the program';

async function boot(t: Test, policy: 'measured' | 'another image') {
  const root = mkdtempSync(join(tmpdir(), 'ae-kms-'));
  const { nsmFolder } = simulatedFolders(join(root, 'sim'));
  const { rootDer } = await loadOrCreateNsmRoot(nsmFolder);
  const cloud = await startCloud({
    folder: join(root, 'cloud'),
    nsmTrust: { kind: 'signed', rootDer },
    credentialLifetimeMs: 3_600_000,
  });
  const { kms, imds } = cloud;
  const [key, other] = [await cloud.createKey(), await cloud.createKey()];
  const folder = join(root, 'enclave');
  mkdirSync(folder);
  writeFileSync(join(folder, 'kms-ca.pem'), kms.caPem);
  const kmsProxy = {
    listen: `tcp://127.0.0.1:${await freePort()}`,
    regions: [{ region: REGION, ca: 'kms-ca.pem' }],
    allow: [{ key, actions: USES }],
  };
  const programs = { keeper: { command: [process.execPath, PROGRAM, key, other], user: process.getuid?.() ?? 1000 } };
  writeFileSync(
    join(folder, 'enclave.yaml'),
    stringify({ version: 1, workload: 'app', name: 'kept', programs, kmsProxy }),
  );
  const measured = measureSimulatedEnclave(folder, undefined);
  const pcrs = policy === 'measured' ? measured : new Map([[toPcrIndex(0), measurePcr([Buffer.from('another')])]]);
  await cloud.putKeyPolicy(key, pcrs, { uses: USES });
  const pair = new AppPair({
    root,
    enclaveFolder: folder,
    nsmFolder,
    parent: { roleArn: cloud.roleArn, instanceId: imds.instanceId },
    hostSettings: {
      workload: 'app',
      ingress: {},
      kms: { connect: `tcp://${kms.host}:${kms.port}` },
      imds: { connect: `tcp://${imds.host}:${imds.port}` },
    },
    environment: {},
  });
  t.teardown(async () => {
    await pair.stop();
    await cloud.stop();
    if (!t.passing()) for (const line of logLines(pair, 'host-proxy').slice(-30)) t.comment(JSON.stringify(line));
    rmSync(root, { recursive: true, force: true, maxRetries: 3 });
  });
  await pair.startHostProxy();
  pair.startSupervisor();
  await pair.untilRecord(({ event, fields }) => event === 'program.output' && fields['text'] === 'done');
  const logs = ['host-proxy', 'supervisor'].map((name) => readFileSync(join(root, `logs/${name}.log`), 'utf8')).join();
  return { kms, printed: pair.printed('keeper'), logs, records: pair.records };
}

t.test('opens what the program keeps, for the measured enclave, and refuses a key that is not named', async (t) => {
  const { kms, printed, logs, records } = await boot(t, 'measured');
  t.strictSame(printed, ['secret: opened', 'data key: 32 bytes', 'other key: AccessDeniedException', 'done']);
  t.match(
    records.find(({ event }) => event === 'kms-proxy.refused'),
    { fields: { action: 'Encrypt', code: 'KMS_PROXY_KEY' } },
  );
  const attested = kms.audit().filter(({ operation }) => ['Decrypt', 'GenerateDataKey'].includes(operation));
  t.ok(attested.length === 2 && attested.every(({ recipientPcr0 }) => recipientPcr0 !== undefined));
  for (const form of ['utf8', 'base64', 'hex'] as const) t.notOk(logs.includes(Buffer.from(PLAINTEXT).toString(form)));
});

t.test('opens nothing where the key policy names another image', async (t) => {
  const { printed } = await boot(t, 'another image');
  t.strictSame(printed, [
    'secret: AccessDeniedException',
    'data key: AccessDeniedException',
    'other key: AccessDeniedException',
    'done',
  ]);
});
