/** Whose keys a key set holds, by the names of its files. */
import { describeKeyFile } from '../../acra/keystore/layout.ts';
import type { KeySet } from './key-set.ts';

/** @returns client ids, each once, in their order */
export function clientsOf({ keystore }: Pick<KeySet, 'keystore'>): readonly string[] {
  return [...new Set(keystore.flatMap(({ path }) => describeKeyFile(path)?.clientId ?? []))].toSorted();
}
