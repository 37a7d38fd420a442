/** The emulators, told to believe documents that QEMU did not sign. */
import { join } from 'node:path';
import { REGION, startCloud } from '../../../cli/demo/cloud.ts';
import type { EnclaveCloud } from './cloud.ts';

const CREDENTIAL_LIFETIME_MS = 3_600_000;

export async function emulatedCloud(folder: string): Promise<EnclaveCloud> {
  const cloud = await startCloud({
    folder: join(folder, 'cloud'),
    nsmTrust: { kind: 'qemu-unsigned' },
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
    putKeyPolicy: async (keyArn, pcrs) => {
      await cloud.putKeyPolicy(keyArn, pcrs);
    },
    stop: () => cloud.stop(),
  };
}
