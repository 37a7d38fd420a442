/** Where programs of an application are looked for, in their own root: by the launcher, and by whoever builds the image. */
import { posix } from 'node:path';

/** Of programs whose environment names no PATH. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** In the order of execvp(3). */
export function candidatesOf(program: string, path = DEFAULT_PATH): readonly string[] {
  if (program.includes('/')) return [program];
  return path.split(':').map((folder) => posix.join(folder === '' ? '.' : folder, program));
}
