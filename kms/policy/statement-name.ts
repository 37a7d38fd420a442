/** How statements are named to people: by number, and by Sid where they have one. */
import type { Statement } from './language/document.ts';

export function nameOf({ number, sid }: Pick<Statement, 'number' | 'sid'>): string {
  return sid === undefined ? `statement ${number}` : `statement ${number} "${sid}"`;
}
