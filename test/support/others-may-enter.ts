/** A checkout or a temporary folder that only root may enter leaves another user no way in. */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';

export function othersMayEnter(path: string): boolean {
  const mayEnter = (statSync(path).mode & 0o001) !== 0;
  return mayEnter && (dirname(path) === path || othersMayEnter(dirname(path)));
}
