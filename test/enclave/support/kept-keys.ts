/** Key sets on the disk of the parent, as its daemon keeps and finds them. */
import { KeyFolder } from '../../../host-proxy/keys/key-folder.ts';
import type { KeptSet } from '../../support/key-parent.ts';
import type { EnclaveStack } from './enclave-stack.ts';

/** @returns generations in their order, one twice where two sets are of it. @throws when something there is no whole set */
export async function storedGenerations(folder: string): Promise<readonly number[]> {
  const keys = new KeyFolder(folder);
  keys.prepare();
  const { sets, damaged } = await keys.list();
  if (damaged.length > 0) throw new Error(`${folder} holds ${damaged.map(({ name }) => name).join(', ')}`);
  return sets.map(({ generation }) => generation);
}

/** @throws there is none */
export async function newestStored(folder: string): Promise<KeptSet> {
  const keys = new KeyFolder(folder);
  const newest = (await keys.list()).sets.at(-1);
  if (newest === undefined) throw new Error(`${folder} holds no set`);
  const { keySet, transcript } = await keys.read(newest);
  return { keySet: keySet.toString('base64'), transcript: transcript.toString('base64') };
}

/** Serves with a set that its daemon found there. @throws as soon as the enclave has failed */
export async function untilServingWith(stack: EnclaveStack, generation: number): Promise<void> {
  const { enclave } = await stack.until(
    ({ ready, keys, enclave }) => enclave?.state === 'failed' || (ready && keys?.taken?.generation === generation),
  );
  if (enclave?.state === 'failed') throw new Error(`the enclave failed: ${enclave.errorCode}, ${enclave.detail}`);
}
