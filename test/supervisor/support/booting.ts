/**
 * A supervisor that comes as far as role credentials in a boot of the real table: a measured folder, an emulated security
 * module, and a parent whose ports are unix sockets. KMS takes connections and never answers.
 */
import { once } from 'node:events';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createListener } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import { stringify } from 'yaml';
import { encodeMasterKeyFile } from '../../../keys/master-key-file.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { Supervisor } from '../../../supervisor/daemon.ts';
import type { Platform } from '../../../supervisor/platform.ts';
import { CID_PARENT } from '../../../wire/brands.ts';
import { VSOCK_PORTS } from '../../../wire/routes.ts';
import { nsmFixture } from '../../emulator/support/nsm-fixture.ts';
import { GOOD, makeCertificate } from '../../keys/support/certificate-maker.ts';
import { PROJECT } from '../../project/imports.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { openConfinement } from './open-confinement.ts';
import { Parent } from './parent.ts';

const KMS = {
  region: 'eu-central-1',
  keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  encryptionContext: { purpose: 'test' },
};

function measuredFolder(t: Test): string {
  const folder = temporaryFolder(t);
  const database = { serverName: 'db.internal', listen: 'tcp://127.0.0.1:0' };
  writeFileSync(
    join(folder, 'enclave.yaml'),
    stringify({ version: 1, name: 'records', ingress: { tls: 'passthrough' }, database, kms: KMS }),
  );
  copyFileSync(join(PROJECT, 'examples/encryptor.yaml'), join(folder, 'encryptor.yaml'));
  const { keyArn, encryptionContext } = KMS;
  writeFileSync(
    join(folder, 'master-key.json'),
    encodeMasterKeyFile({ keyArn, encryptionContext, ciphertext: Buffer.alloc(100) }),
  );
  mkdirSync(join(folder, 'tls'));
  const authority = makeCertificate(GOOD.authority, Date.now());
  for (const name of ['client-ca.pem', 'database-ca.pem']) writeFileSync(join(folder, 'tls', name), authority.pem);
  writeFileSync(join(folder, 'tls/server.pem'), makeCertificate(GOOD.server, Date.now(), authority).pem);
  return folder;
}

async function platformOf(t: Test, vsockPath: string, clock: Clock): Promise<Platform> {
  const runtimeFolder = temporaryFolder(t);
  const { provider } = await nsmFixture(t, { clock });
  const platform: Partial<Platform> = {
    simulated: true,
    runtimeFolder,
    prepareMachine: async () => ({
      confine: () => openConfinement(runtimeFolder),
      openApplication: () => {
        throw new Error('there is none');
      },
      stop: async () => undefined,
    }),
    openNsm: async () => provider,
    requiredHardwareRng: 'emulated',
    currentHardwareRng: async () => 'emulated',
    addEntropy: async () => undefined,
    hypervisorTimeMs: () => undefined,
    setWallClock: async () => undefined,
    sendsHeartbeat: false,
    parentCids: [CID_PARENT],
    enclavePort: (port) => ({ kind: 'vsock-uds-guest', path: vsockPath, port, cid: CID_PARENT }),
    parentPort: (port) => ({ kind: 'vsock-uds-guest', path: vsockPath, port, cid: CID_PARENT }),
  };
  return platform as Platform;
}

/** @param imds how the parent answers in the name of the metadata service */
export async function bootingSupervisor(t: Test, clock: Clock, imds: RequestListener) {
  const vsockPath = join(temporaryFolder(t), 'vm.vsock');
  const parent = new Parent(true);
  await parent.listen(`${vsockPath}_${VSOCK_PORTS.control}`);
  t.teardown(() => parent.close());
  const metadata = createServer(imds).listen(`${vsockPath}_${VSOCK_PORTS.imds}`);
  const kms = createListener((socket) => socket.on('error', () => undefined).resume());
  kms.listen(`${vsockPath}_${VSOCK_PORTS.kms}`);
  await Promise.all([once(metadata, 'listening'), once(kms, 'listening')]);
  t.teardown(() => {
    metadata.closeAllConnections();
    metadata.close();
    kms.close();
  });
  const console = new MemoryLogger();
  const platform = await platformOf(t, vsockPath, clock);
  const supervisor = new Supervisor({
    platform,
    folder: measuredFolder(t),
    acraProgram: { kind: 'path', program: '', leadingArguments: [], sha256: '', description: '' },
    release: '0',
    clock,
    random: seededRandom('booting'),
    console,
  });
  return { supervisor, parent, console, runtimeFolder: platform.runtimeFolder };
}
