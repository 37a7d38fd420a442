/** Files that are on the disk when the call returns: written, and flushed with the folder that names them. */
import { open } from 'node:fs/promises';

const FILE_MODE = 0o600;

/** A new file. @throws what the file system says */
export async function writeDurable(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'wx', FILE_MODE);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What was made, renamed or deleted in the folder is so after a crash too (fsync(2)). @throws what the file system says */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
