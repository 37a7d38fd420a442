/** What a secret may have been written into. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const MAX_BYTES = 64 * 1024 * 1024;

/** The files of a folder and of those in it, but for what is too large to be read at once. */
export function* filesBelow(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile() && statSync(file).size < MAX_BYTES) yield file;
  }
}
