/** Key sets on the disk of the parent, as its daemon keeps and finds them. */
import { KeyFolder } from '../../../host-proxy/keys/key-folder.ts';
import type { KeptSet } from '../../support/key-parent.ts';
import type { EnclaveStack } from './enclave-stack.ts';

/** Whole and on disk when it resolves; a daemon that runs there brings it then. */
export async function storeSet(folder: string, { keySet, transcript }: KeptSet): Promise<void> {
  const keys = new KeyFolder(folder);
  keys.prepare();
  await keys.store({ keySet: Buffer.from(keySet, 'base64'), transcript: Buffer.from(transcript, 'base64') });
}

/** @returns generations in their order, one twice where two sets are of it. @throws when something there is no whole set */
export async function storedGenerations(folder: string): Promise<readonly number[]> {
  const keys = new KeyFolder(folder);
  keys.prepare();
  const { sets, damaged } = await keys.list();
  if (damaged.length > 0) throw new Error(`${folder} holds ${damaged.map(({ name }) => name).join(', ')}`);
  return sets.map(({ generation }) => generation);
}

/** Serves with a set that its daemon found there. @throws as soon as the enclave has failed */
export async function untilServingWith(stack: EnclaveStack, generation: number): Promise<void> {
  const { enclave } = await stack.until(
    ({ ready, keys, enclave }) => enclave?.state === 'failed' || (ready && keys?.taken?.generation === generation),
  );
  if (enclave?.state === 'failed') throw new Error(`the enclave failed: ${enclave.errorCode}, ${enclave.detail}`);
}
