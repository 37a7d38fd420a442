/** KMS for programs opens before they start, where enclave.yaml says so, over the private route and by the measured CA. */
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { EncryptCommand } from '@aws-sdk/client-kms';
import t, { type Test } from 'tap';
import { appEnclaveSchema } from '../../../../../config/app/app-enclave.ts';
import { KmsError } from '../../../../../kms/errors.ts';
import { BootTable, boot } from '../../../../../supervisor/boot/phase.ts';
import { kmsProxyPhase } from '../../../../../supervisor/boot/phases/app/kms-proxy.ts';
import { CredentialKeeper } from '../../../../../supervisor/credentials/keeper.ts';
import { KmsProxyError } from '../../../../../supervisor/kms-proxy/errors.ts';
import { kmsFixture, REGION, rolePolicy } from '../../../../emulator/support/kms-fixture.ts';
import { rejectsCode } from '../../../../support/coded-error.ts';
import { MemoryLogger } from '../../../../support/memory-logger.ts';
import { seededRandom } from '../../../../support/seeded-random.ts';
import { temporaryFolder } from '../../../../support/temporary-folder.ts';
import { programClient } from '../../../kms-proxy/support/proxy-fixture.ts';
import { phaseContext } from '../../../support/phase-context.ts';

type PhaseNeeds = Parameters<typeof kmsProxyPhase.run>[0];

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function rig(t: Test, section: (keyArn: string, port: number) => object | undefined, caPem?: string) {
  const fixture = await kmsFixture(t);
  const { kms, clock, nsm, roleCredential } = fixture;
  const keyArn = await fixture.createKey(rolePolicy({}, ['kms:Encrypt']));
  const [folder, runtimeFolder, port] = [temporaryFolder(t), temporaryFolder(t), await freePort()];
  writeFileSync(join(folder, 'kms-ca.pem'), caPem ?? kms.caPem);
  const route = createServer((socket) => {
    const onward = connect(kms.port, kms.host);
    socket.on('error', () => onward.destroy()).pipe(onward);
    onward.on('error', () => socket.destroy()).pipe(socket);
  }).listen(join(runtimeFolder, 'kms.sock'));
  t.teardown(() => route.close());
  const needs: PhaseNeeds = {
    config: appEnclaveSchema.parse({
      version: 1,
      workload: 'app',
      name: 'secrets',
      programs: { main: { command: ['/main'] } },
      kmsProxy: section(keyArn, port),
    }),
    pathOf: (name) => join(folder, name),
    keeper: new CredentialKeeper({
      fetch: async () => roleCredential,
      clock,
      random: seededRandom('keeper'),
      logger: new MemoryLogger(),
      onFailure: (error) => t.fail(String(error)),
    }),
    nsm: nsm.provider,
  };
  const deferred: (() => Promise<void> | void)[] = [];
  const context = {
    ...phaseContext('kms-proxy', clock, { runtimeFolder }),
    defer: (undo: () => Promise<void> | void) => void deferred.push(undo),
  };
  const undo = async () => {
    for (const each of deferred.splice(0).reverse()) await each();
  };
  t.teardown(undo);
  const run = () =>
    boot(BootTable.empty<PhaseNeeds>().phase(kmsProxyPhase), needs, context, new AbortController().signal);
  return { run, undo, keyArn, port };
}

const section = (keyArn: string, port: number) => ({
  listen: `tcp://127.0.0.1:${port}`,
  regions: [{ region: REGION, ca: 'kms-ca.pem' }],
  allow: [{ key: keyArn, actions: ['Encrypt'] }],
});

t.test('serves programs by what it tells them, and is gone when the supervisor stops', async (t) => {
  const { run, undo, keyArn, port } = await rig(t, section);
  const { kmsProxyEnvironment, kmsProxy } = await run();
  const url = `http://127.0.0.1:${port}`;
  t.match(kmsProxyEnvironment, {
    AWS_ENDPOINT_URL_KMS: url,
    AWS_KMS_ENDPOINT: url,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ACCESS_KEY_ID: /^[A-Z0-9]{20}$/,
  });
  const encrypt = () => programClient(t, url).send(new EncryptCommand({ KeyId: keyArn, Plaintext: Buffer.from('x') }));
  t.match(await encrypt(), { KeyId: keyArn });
  t.equal(kmsProxy?.samples.length, 1);
  await undo();
  await t.rejects(encrypt());
});

t.test('opens nothing without the section', async (t) => {
  const { run } = await rig(t, () => undefined);
  const { kmsProxy, kmsProxyEnvironment } = await run();
  t.equal(kmsProxy, undefined);
  t.strictSame(kmsProxyEnvironment, {});
});

t.test(
  'fails the boot where the measured CA is none (KMS_CA_INVALID), or its address is taken (KMS_PROXY_LISTEN)',
  async (t) => {
    const { run } = await rig(t, section, 'no certificate');
    await rejectsCode(run, KmsError, 'KMS_CA_INVALID');
    const taken = await rig(t, section);
    const other = createServer().listen(taken.port, '127.0.0.1');
    t.teardown(() => other.close());
    await new Promise((resolve) => other.once('listening', resolve));
    await rejectsCode(taken.run, KmsProxyError, 'KMS_PROXY_LISTEN');
  },
);
