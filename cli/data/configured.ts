/** Which column is meant, and how it is protected. */
import type { EncryptedColumn } from '../../acra/encryptor-config/schema.ts';
import type { Migration } from '../../acra/migration/migration.ts';
import type { Configured } from '../configured.ts';
import { CliError } from '../errors.ts';

export interface ConfiguredColumn {
  readonly migration: Migration;
  /** Of the column that applications know. */
  readonly column: EncryptedColumn;
}

/** @param table @param column undefined: the only one. @throws CliError CLI_OPTION */
export function migrationOf(
  { migrations, tables }: Configured,
  table: string | undefined,
  column: string | undefined,
): ConfiguredColumn {
  const found = migrations.filter(
    (each) => (table === undefined || each.table === table) && (column === undefined || each.column === column),
  );
  const [migration] = found;
  const configured = migration && tables.get(migration.table)?.encrypted.get(migration.column);
  if (migration && configured && found.length === 1) return { migration, column: configured };
  throw new CliError('CLI_OPTION', found.length > 1 ? 'several columns are meant' : 'no such column', {
    allowed: migrations.map((each) => `--table ${each.table} --column ${each.column}`).join(', or ') || 'none',
    action: 'Name one that `guard.migrations` of enclave.yaml has.',
  });
}
