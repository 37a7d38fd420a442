/** Reads a file that somebody else is still writing. */
import { readFileSync } from 'node:fs';

/** Its lines, oldest first; what follows the last line feed is not a line yet. */
export function wholeLines(file: string): readonly string[] {
  return readFileSync(file, 'utf8').split('\n').slice(0, -1);
}
