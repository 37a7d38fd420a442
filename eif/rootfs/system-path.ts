/**
 * Paths of another system whose root is a folder of this machine: its links are followed as it would follow them, so an
 * absolute one stays below that folder and `..` does not leave it. Specification: path_resolution(7), chroot(2).
 */
import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../runtime/errors.ts';

/** The kernel's own limit. */
const MAX_LINKS = 40;

/**
 * @param system root of that system on this machine
 * @param path as that system names it
 * @returns path on this machine without any link below `system`; undefined when nothing is there
 */
export async function findInSystem(system: string, path: string): Promise<string | undefined> {
  const left = path.split('/');
  let found = '/';
  let links = 0;
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    // Above "/" is "/".
    const next = join(found, name);
    const target = await linkTarget(join(system, next));
    if (target === 'nothing') return undefined;
    if (target === 'no link') {
      found = next;
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) return undefined;
    left.unshift(...target.path.split('/'));
    if (target.path.startsWith('/')) found = '/';
  }
  return join(system, found);
}

async function linkTarget(path: string): Promise<{ readonly path: string } | 'no link' | 'nothing'> {
  try {
    return { path: await readlink(path) };
  } catch (error) {
    return errorCode(error) === 'EINVAL' ? 'no link' : 'nothing';
  }
}
