/** What a value in a statement is for. */
import type { EncryptedColumn } from '../encryptor-config/schema.ts';

export interface ValueUse {
  readonly column: EncryptedColumn;
  /** To be stored in the column, or to be compared with it. */
  readonly role: 'store' | 'search';
}
