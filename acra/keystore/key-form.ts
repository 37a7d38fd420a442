/**
 * What keys look like, sealed and open, in Themis's own encodings: a file that was cut off, emptied or exchanged for something else is told
 * without the master key (secure-cell.ts, ec-key.ts). Whether it opens is another question (check.ts).
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError } from '../../runtime/errors.ts';
import { isEcKey } from './ec-key.ts';
import type { KeyFile } from './layout.ts';
import { isPublic } from './layout.ts';
import type { KeystoreFinding } from './report.ts';
import { readCell } from './secure-cell.ts';

const isSealed = (file: Buffer) => readCell(file) !== undefined;

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
