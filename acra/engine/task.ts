/** What acra-server is asked about values, and what may come of it. */
import type { EncryptedColumn } from '../encryptor-config/schema.ts';

export interface ProtectTask {
  readonly kind: 'store' | 'search';
  readonly of: EncryptedColumn;
  readonly value: Buffer;
}

export interface RevealTask {
  readonly kind: 'reveal';
  readonly of: EncryptedColumn;
  /** At most MAX_ROW_CELLS; none of them empty. */
  readonly cells: readonly Buffer[];
}

export type Task = ProtectTask | RevealTask;

/** One value for `store` and `search`, one for each cell for `reveal`: unchecked. `refused`: acra-server answered with an error. */
export type Answer = { readonly kind: 'values'; readonly values: readonly Buffer[] } | { readonly kind: 'refused' };

/** Bytes that a task makes acra-server hold. */
export function bytesOf(task: Task): number {
  if (task.kind !== 'reveal') return task.value.length;
  return task.cells.reduce((sum, { length }) => sum + length, 0);
}
