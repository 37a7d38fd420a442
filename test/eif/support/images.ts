/** Small images for tests: the toy of nitro-formats 3.1, and ways to damage it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type EifContent, writeEif } from '../../../eif/format/writer.ts';
import { signImage } from '../../../eif/sign/sign.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { chainOf, keyOf, NOW_MS, type SignerName, vector } from './vectors.ts';

const CRC_OFFSET = 0x220;

interface Test {
  teardown(fn: () => void): void;
}

export const TOY: EifContent = {
  architecture: 'x86_64',
  kernel: [Buffer.from('KERNEL')],
  cmdline: Buffer.from('reboot=k panic=30'),
  metadata: Buffer.from('{"ImageName":"t"}'),
  ramdisks: [[Buffer.from('RAMDISK0')], [Buffer.from('RAMDISK1')]],
};

/** The toy with metadata that meets the format. */
export const COMPLETE: EifContent = { ...TOY, metadata: readFileSync(vector('metadata.json')).subarray(0, -1) };

/** Writes an image to a folder of the test's own. */
export async function writeImage(t: Test, content: EifContent = TOY): Promise<string> {
  const path = join(temporaryFolder(t), 'image.eif');
  await writeEif(path, content);
  return path;
}

export async function writeSignedImage(t: Test, name: SignerName, content: EifContent = COMPLETE): Promise<string> {
  const path = await writeImage(t, content);
  await signImage({ input: path, output: path, chain: await chainOf(name), nowMs: NOW_MS }, await keyOf(name));
  return path;
}

/** A file with these bytes. */
export function writeBytes(t: Test, bytes: Uint8Array): string {
  const path = join(temporaryFolder(t), 'bytes');
  writeFileSync(path, bytes);
  return path;
}

/** Sets the checksum to what the rest of the file demands, so that damage is found by structure alone. */
export function repairCrc(image: Buffer): Buffer {
  if (image.length < CRC_OFFSET + 4) return image;
  const repaired = Buffer.from(image);
  repaired.writeUInt32BE(crc32(image.subarray(CRC_OFFSET + 4), crc32(image.subarray(0, CRC_OFFSET))), CRC_OFFSET);
  return repaired;
}
