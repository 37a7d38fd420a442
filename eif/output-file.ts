/** Writes a file under another name and renames it when it is whole, so that nothing half-written is ever left. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EifError } from './errors.ts';

function unwritable(path: string, cause: unknown): EifError {
  return new EifError('EIF_FILE_WRITE', `cannot write ${path}`, { cause });
}

/** Every write goes through here, so that a full disk has the same code everywhere. */
export interface OutputFile {
  /** Writes all bytes. @throws EifError EIF_FILE_WRITE */
  write(bytes: Uint8Array, position: number): Promise<void>;
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/**
 * Runs `fill`, then puts the file in its place, over an older one if there is one. When anything fails, neither `path`
 * nor the temporary name has changed.
 * @throws EifError EIF_FILE_WRITE, or what `fill` throws
 */
export async function writeOutputFile<Result>(
  path: string,
  fill: (file: OutputFile) => Promise<Result>,
): Promise<Result> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.partial`);
  const handle = await open(temporary, 'wx', 0o644).catch((cause: unknown) => {
    throw unwritable(path, cause);
  });
  const wrap = (cause: unknown): never => {
    throw unwritable(path, cause);
  };
  try {
    let result: Result;
    try {
      result = await fill({ write: (bytes, position) => writeAll(handle, bytes, position).catch(wrap) });
      await handle.sync().catch(wrap);
    } finally {
      await handle.close();
    }
    await rename(temporary, path).catch(wrap);
    return result;
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}
