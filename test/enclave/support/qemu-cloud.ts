/** KMS and IMDS for an enclave on QEMU's machine, whose documents nobody signed: named in test/ alone (test/project/qemu-trust.test.ts). */
import { join } from 'node:path';
import { type Cloud, startCloud } from '../../../cli/demo/cloud.ts';

const CREDENTIAL_LIFETIME_MS = 3_600_000;

export function startQemuCloud(folder: string): Promise<Cloud> {
  return startCloud({
    folder: join(folder, 'cloud'),
    nsmTrust: { kind: 'qemu-unsigned' },
    credentialLifetimeMs: CREDENTIAL_LIFETIME_MS,
  });
}
