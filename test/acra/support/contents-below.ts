/** Every file of a keystore by its path, so that two of them can be compared. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { filesBelow } from '../../support/files-below.ts';

/** In base64. */
export function contentsBelow(folder: string): Readonly<Record<string, string>> {
  const files = [...filesBelow(folder)].toSorted();
  return Object.fromEntries(files.map((file) => [relative(folder, file), readFileSync(file).toString('base64')]));
}
