/**
 * Puts a folder in the place of another in one step, so that whoever looks, whenever, and whatever is killed, sees the whole old one or
 * the whole new one. What is left of a process that is killed lies beside, and is no more than a copy.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { exchangePaths } from '../system/libc/exchange-paths.ts';

function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}

/**
 * @param make makes the new folder at the path that it is given
 * @param check looks at both, when they have changed places; throws to have them change back
 * @throws what these throw, with the old folder in its place; SystemError SYSTEM_EXCHANGE
 */
export async function replaceFolder<Made>(
  place: string,
  make: (path: string) => Promise<Made>,
  check: (replaced: string, made: Made) => void,
): Promise<Made> {
  const final = resolve(place);
  const temporary = `${final}.new-${randomBytes(6).toString('hex')}`;
  const discard = () => rmSync(temporary, { recursive: true, force: true });
  process.on('exit', discard);
  // Where the two cannot change back, what lies beside is the only copy of what `check` misses.
  let isOldBeside = false;
  try {
    const made = await make(temporary);
    process.off('exit', discard);
    exchangePaths(temporary, final);
    isOldBeside = true;
    try {
      check(temporary, made);
    } catch (error) {
      exchangePaths(temporary, final);
      isOldBeside = false;
      throw error;
    }
    syncFolder(dirname(final));
    isOldBeside = false;
    return made;
  } finally {
    process.off('exit', discard);
    if (!isOldBeside) discard();
  }
}
