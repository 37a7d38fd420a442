/**
 * What the boot phases that ask KMS need, with an emulated KMS behind the private route. TLS ends at the host that the
 * configuration leads to, as in the enclave: nothing here names an endpoint.
 */
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import { stringify } from 'yaml';
import { enclaveSchema } from '../../../config/enclave.ts';
import { loadConfig } from '../../../config/load.ts';
import { makeRecipientKey } from '../../../kms/recipient.ts';
import type { KmsNeeds } from '../../../supervisor/boot/attested-kms.ts';
import type { EntropyReady } from '../../../supervisor/boot/phases/entropy.ts';
import { CredentialKeeper } from '../../../supervisor/credentials/keeper.ts';
import { kmsFixture, rolePolicy } from '../../emulator/support/kms-fixture.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { phaseContext } from './phase-context.ts';

export const ENCRYPTION_CONTEXT = { purpose: 'acra-master-key' };

/** @param sections of enclave.yaml */
export async function kmsNeeds(t: Test, sections: object = {}, region = 'eu-central-1') {
  const fixture = await kmsFixture(t, region);
  const { kms, clock, nsm, roleCredential } = fixture;
  const keyArn = await fixture.createKey(rolePolicy({}));
  const folder = temporaryFolder(t);
  const file = join(folder, 'enclave.yaml');
  writeFileSync(join(folder, 'kms-ca.pem'), kms.caPem);
  const section = { keyArn, encryptionContext: ENCRYPTION_CONTEXT, ca: 'kms-ca.pem', requestTimeoutMs: 5_000 };
  const database = { serverName: 'db.internal' };
  writeFileSync(
    file,
    stringify({ version: 1, name: 'records', ingress: { tls: 'passthrough' }, database, kms: section, ...sections }),
  );
  const runtimeFolder = temporaryFolder(t);
  const route = createServer((socket) => {
    const onward = connect(kms.port, kms.host);
    socket.on('error', () => onward.destroy()).pipe(onward);
    onward.on('error', () => socket.destroy()).pipe(socket);
  }).listen(join(runtimeFolder, 'kms.sock'));
  t.teardown(() => route.close());
  let fetched = 0;
  const keeper = new CredentialKeeper({
    fetch: async () => {
      fetched += 1;
      return roleCredential;
    },
    clock,
    random: seededRandom('keeper'),
    logger: new MemoryLogger(),
    onFailure: (error) => t.fail(String(error)),
  });
  const added: Buffer[] = [];
  const lent: Buffer[] = [];
  const context = phaseContext('kms', clock, {
    runtimeFolder,
    addEntropy: async (bytes) => {
      added.push(Buffer.from(bytes));
      lent.push(bytes);
    },
  });
  const needs: KmsNeeds & Pick<EntropyReady, 'firstRecipientKey'> = {
    config: loadConfig(enclaveSchema, file),
    pathOf: (name) => join(folder, name),
    keeper,
    nsm: nsm.provider,
    firstRecipientKey: makeRecipientKey(),
  };
  return { ...fixture, needs, context, folder, keyArn, added, lent, fetched: () => fetched };
}

export type KmsRig = Awaited<ReturnType<typeof kmsNeeds>>;
