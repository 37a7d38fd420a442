/**
 * What keys look like, sealed and open, in Themis's own encodings: a file that was cut off, emptied or exchanged for something else is told
 * without the master key. Whether it opens is another question (check.ts).
 * Source: Themis 0.15, secure_cell_alg.h (header of Seal mode) and secure_keygen (EC keys).
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError } from '../../runtime/errors.ts';
import type { KeyFile } from './layout.ts';
import { isPublic } from './layout.ts';
import type { KeystoreFinding } from './report.ts';

/** Header and length of Themis's own encoding of EC keys: tag, u32 big-endian length, CRC, key. */
const EC_KEY_TAGS = { private: 'REC2', public: 'UEC2' } as const;
/** Four u32 little-endian: algorithm, and the lengths of nonce, tag and message, which follow. */
const CELL_HEADER_BYTES = 16;

export function isEcKey(key: Buffer, half: keyof typeof EC_KEY_TAGS): boolean {
  const tag = Buffer.from(EC_KEY_TAGS[half]);
  return key.length > 8 && key.subarray(0, 4).equals(tag) && key.readUInt32BE(4) === key.length;
}

/** A Secure Cell in Seal mode that is not empty. */
function isSealed(file: Buffer): boolean {
  if (file.length <= CELL_HEADER_BYTES) return false;
  const [nonce, tag, message] = [4, 8, 12].map((offset) => file.readUInt32LE(offset));
  if (nonce === undefined || tag === undefined || message === undefined) return false;
  return message > 0 && CELL_HEADER_BYTES + nonce + tag + message === file.length;
}

const describeSize = ({ length }: Buffer) => (length === 0 ? 'it is empty' : `${length} bytes of another form`);

async function formFinding(folder: string, { path, purpose }: KeyFile): Promise<KeystoreFinding[]> {
  let content: Buffer;
  try {
    content = await readFile(join(folder, path));
  } catch (error) {
    return [{ code: 'KEYSTORE_PERMISSION', path, message: `cannot be read: ${describeError(error)}` }];
  }
  if (isPublic(purpose)) {
    const message = `is no public key: ${describeSize(content)}`;
    return isEcKey(content, 'public') ? [] : [{ code: 'KEYSTORE_KEY_INVALID', path, message }];
  }
  const message = `is no sealed key: ${describeSize(content)}`;
  return isSealed(content) ? [] : [{ code: 'KEYSTORE_FILE_DAMAGED', path, message }];
}

/** @param folder of the keystore */
export async function formFindings(folder: string, files: readonly KeyFile[]): Promise<KeystoreFinding[]> {
  return (await Promise.all(files.map((file) => formFinding(folder, file)))).flat();
}

/** @param path of the TLS key @returns why it cannot be one, for people */
export async function refusedSealedFile(path: string): Promise<string | undefined> {
  try {
    const content = await readFile(path);
    return isSealed(content) ? undefined : `it is no file that was sealed: ${describeSize(content)}`;
  } catch (error) {
    return `it cannot be read: ${describeError(error)}`;
  }
}
