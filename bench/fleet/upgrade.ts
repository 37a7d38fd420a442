/** Another image: the same keys and tables under another configuration, and so other measurements, for which the key opens too from then on. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENCRYPTION_CONTEXT } from '../../cli/demo/parts.ts';
import type { Fleet } from './fleet.ts';

/** @param name of its folder. @returns its measured folder */
export async function copyWithOtherMeasurements(
  { stack, enclaveFolder, images }: Fleet,
  name: string,
): Promise<string> {
  const { folder } = stack.copyEnclave(name, enclaveFolder);
  appendFileSync(join(folder, 'enclave.yaml'), `# ${name}\n`);
  images.push(folder);
  const { cloud, keyArn } = stack.parts;
  const measured = stack.measure(folder);
  const measurements = images.map((each) => stack.measure(each));
  await cloud.putKeyPolicy(keyArn, measured, { encryptionContext: ENCRYPTION_CONTEXT, measurements });
  return folder;
}
