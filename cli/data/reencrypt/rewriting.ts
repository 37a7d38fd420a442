/** What the parts that encrypt values anew have in common. */
import type { EncryptedColumn } from '../../../acra/encryptor-config/schema.ts';
import type { KnownKeyIds } from '../../../keys/key-ids-file.ts';
import type { Cell } from '../connection.ts';
import type { LongValue } from '../long-value.ts';
import type { Key, KeyedTable } from '../table.ts';
import type { Views } from '../verify/views.ts';
import type { Doubt, KeyState, StoredValue } from './stored-value.ts';

export interface Rewriting {
  readonly table: KeyedTable;
  readonly columns: readonly EncryptedColumn[];
  readonly ids: KnownKeyIds;
  /** For one after the other. */
  readonly long: LongValue;
  /** Sessions behind which the enclave is known to encrypt with the current key. It never goes back to an older one while it lives; a newer one is `other`. */
  readonly known: WeakSet<Views>;
  /** Of values that were written, as soon as they are. */
  readonly wrote: (values: number) => void;
}

/**
 * Why a value is under an old key still, or cannot be told to be under the current one.
 * - `foreign`: it does not open.
 * - `default`: it reads as what stands for what does not open.
 * - `differs`: it would read otherwise than before.
 * - `unreadable`: the enclave refuses to read it; `refused`: to write it.
 */
export type Fault = Doubt | Extract<KeyState, 'old' | 'form'> | 'differs' | 'unreadable' | 'refused';

export interface Left {
  readonly column: string;
  readonly key: Key;
  readonly fault: Fault;
}

/** A cell that is under an old key. */
export interface OldCell {
  readonly of: EncryptedColumn;
  readonly value: StoredValue;
  /** Its bytes. */
  readonly stored: Buffer;
}

/** A row as it was read. */
export interface OldRow {
  readonly key: Key;
  readonly version: Cell;
  readonly cells: readonly OldCell[];
}
