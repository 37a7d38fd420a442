/** The emulators, told to believe documents that QEMU did not sign, or those that a test's image signs. */
import { join } from 'node:path';
import { REGION, startCloud } from '../../../cli/demo/cloud.ts';
import type { NsmTrust } from '../../../emulator/kms/nsm-trust.ts';
import type { EnclaveCloud } from './cloud.ts';

const CREDENTIAL_LIFETIME_MS = 3_600_000;

export async function emulatedCloud(
  folder: string,
  nsmTrust: NsmTrust = { kind: 'qemu-unsigned' },
): Promise<EnclaveCloud> {
  const cloud = await startCloud({
    folder: join(folder, 'cloud'),
    nsmTrust,
    credentialLifetimeMs: CREDENTIAL_LIFETIME_MS,
  });
  const { kms, imds } = cloud;
  const { accessKeyId, secretAccessKey } = kms.adminCredentials;
  return {
    hostSettings: {
      kms: { connect: `tcp://${kms.host}:${kms.port}` },
      imds: { connect: `tcp://${imds.host}:${imds.port}` },
    },
    operator: {
      region: REGION,
      endpoint: kms.url,
      caPem: kms.caPem,
      credentials: { accessKeyId, secretAccessKey },
    },
    createKey: () => cloud.createKey(),
    putKeyPolicy: async (keyArn, pcrs, choices) => {
      await cloud.putKeyPolicy(keyArn, pcrs, choices);
    },
    emulated: { faults: kms.faults, auditFile: join(folder, 'cloud', 'kms', 'audit.jsonl') },
    stop: () => cloud.stop(),
  };
}
