/** Which protected columns can be compared for equality: with the hash in front of a ciphertext, or because equal values have equal tokens. */
import { hasEqualTokens } from '../encryptor-config/database-type.ts';
import type { EncryptedColumn } from '../encryptor-config/schema.ts';

export const isComparable = (column: EncryptedColumn): boolean => column.searchable || hasEqualTokens(column);

/** Whether equal values have equal hashes, or tokens, in both: these are of the keys of one client, and tokens of one type. */
export const areAlike = (a: EncryptedColumn, b: EncryptedColumn): boolean =>
  a.clientId === b.clientId && a.token?.type === b.token?.type;

/** What the database has in the place of values, as refusals call it. */
export const heldAs = ({ token }: EncryptedColumn): string => (token ? 'tokens' : 'ciphertext');

/** Why one that is not comparable is not, behind "and". */
export const whyNot = ({ token }: EncryptedColumn): string =>
  token ? 'its tokens are not consistent' : 'is not searchable';
