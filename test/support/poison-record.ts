/** A container that only an enclave's own poison key opens, made with the keys that its acra-server runs with. */
import { join } from 'node:path';
import { encodeAcraBlock, encodeContainer } from '../../acra/container.ts';
import { themis } from '../../acra/keystore/themis.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import { Keyring } from '../../emulator/acra-server/keyring.ts';
import { systemRandom } from '../../runtime/random.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { environmentVariable } from './processes.ts';
import { acraPid } from './stack.ts';

export async function poisonRecord(stack: Stack): Promise<Buffer> {
  const masterKey = Buffer.from(environmentVariable(acraPid(stack.enclave), 'ACRA_MASTER_KEY') ?? '', 'base64');
  const keyring = await Keyring.load(themis, join(stack.enclaveFolder, 'keystore'), SecretBuffer.take(masterKey));
  const [key = Buffer.alloc(0)] = keyring.keys('poison-symmetric', '');
  return encodeContainer('acrablock', encodeAcraBlock(themis, key, Buffer.from('bait'), systemRandom));
}
