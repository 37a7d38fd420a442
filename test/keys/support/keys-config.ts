/** Section `keys` of enclave.yaml as its schema reads it. */
import type { z } from 'zod';
import { keysSection } from '../../../config/keys.ts';

type Given = Omit<z.input<typeof keysSection> & object, 'source'>;

/** @param given beside `source: parent`; `image`: nothing at all */
export function keysConfig(given: Given | 'image'): { readonly keys: z.output<typeof keysSection> } {
  return { keys: keysSection.parse(given === 'image' ? {} : { source: 'parent', ...given }) };
}
