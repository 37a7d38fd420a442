/** The instance that IMDS speaks for. Its ID is drawn once and kept, for PCR4 and role sessions depend on it. */
import { join } from 'node:path';
import { z } from 'zod';
import type { Random } from '../../runtime/random.ts';
import { ACCOUNT_ID } from '../principal.ts';
import { createOnce, parseState } from '../state-file.ts';

const INSTANCE_ID_BYTES = 9;
const schema = z.strictObject({ instanceId: z.string().regex(/^i-[0-9a-f]{17}$/) });

/** @throws EmulatorError EMULATOR_STATE */
export async function loadOrCreateInstanceId(folder: string, random: Random): Promise<string> {
  const path = join(folder, 'instance.json');
  const text = await createOnce(path, () =>
    JSON.stringify({ instanceId: `i-${random.bytes(INSTANCE_ID_BYTES).toString('hex').slice(1)}` }),
  );
  return parseState(path, text, schema).instanceId;
}

/** What `/latest/dynamic/instance-identity/document` holds (EC2 user guide, "Instance identity documents"). */
export function identityDocument(instanceId: string, region: string, launchedAt: Date): object {
  return {
    accountId: ACCOUNT_ID,
    architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64',
    availabilityZone: `${region}a`,
    billingProducts: null,
    devpayProductCodes: null,
    imageId: 'ami-00000000000000000',
    instanceId,
    instanceType: 'c6a.xlarge',
    kernelId: null,
    marketplaceProductCodes: null,
    pendingTime: launchedAt.toISOString(),
    privateIp: '127.0.0.1',
    ramdiskId: null,
    region,
    version: '2017-09-30',
  };
}
