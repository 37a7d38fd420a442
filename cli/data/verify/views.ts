/** How a table is looked at: what both readers of it have in common. */
import type { EncryptedColumn } from '../../../acra/encryptor-config/schema.ts';
import { type Connection, rowsOf, run } from '../connection.ts';
import type { LongValue } from '../long-value.ts';
import type { Key, KeyedTable } from '../table.ts';
import type { Fault } from './stored-cell.ts';

/** Two sessions of one identity. */
export interface Views {
  readonly opened: Connection;
  readonly stored: Connection;
  end(): Promise<void>;
}

export interface Verification {
  readonly table: KeyedTable;
  readonly columns: readonly EncryptedColumn[];
  /** For one after the other. */
  readonly long: LongValue;
}

export interface Offender {
  readonly column: string;
  readonly key: Key;
  readonly fault: Fault;
}

const BEGIN = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';

/** Until the transactions end. */
export async function sameMoment({ opened, stored }: Views): Promise<void> {
  await run(opened, BEGIN);
  const [[snapshot] = []] = await rowsOf(opened, 'SELECT pg_catalog.pg_export_snapshot()');
  await run(stored, BEGIN);
  await run(stored, `SET TRANSACTION SNAPSHOT '${snapshot?.replace(/[^0-9A-Fa-f-]/g, '')}'`);
}

export async function endMoment({ opened, stored }: Views, end: 'COMMIT' | 'ROLLBACK'): Promise<void> {
  for (const connection of [opened, stored]) await run(connection, end);
}
