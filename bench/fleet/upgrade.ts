/** Another image: the same keys and tables under another configuration, and so other measurements, for which the key opens too from then on. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENCRYPTION_CONTEXT } from '../../cli/demo/parts.ts';
import type { Fleet } from './fleet.ts';

/** @returns its measured folder */
export async function copyWithOtherMeasurements({ stack, enclaveFolder }: Fleet): Promise<string> {
  const { folder } = stack.copyEnclave('next', enclaveFolder);
  appendFileSync(join(folder, 'enclave.yaml'), '# the next release\n');
  const { cloud, keyArn } = stack.parts;
  const measured = stack.measure(folder);
  const measurements = [measured, stack.measure(enclaveFolder)];
  await cloud.putKeyPolicy(keyArn, measured, { encryptionContext: ENCRYPTION_CONTEXT, measurements });
  return folder;
}
