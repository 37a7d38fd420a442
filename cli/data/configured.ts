/** Which column is meant, and how it is protected: by the measured configuration, which the enclave has too. */
import { join, resolve } from 'node:path';
import { loadEncryptorConfig } from '../../acra/encryptor-config/lint.ts';
import type { EncryptedColumn, EncryptedTable } from '../../acra/encryptor-config/schema.ts';
import { requireMigrations } from '../../acra/migration/faults.ts';
import type { Migration } from '../../acra/migration/migration.ts';
import { type EnclaveConfig, enclaveSchema } from '../../config/enclave.ts';
import { loadConfig } from '../../config/load.ts';
import { CliError } from '../errors.ts';

export interface Configured {
  readonly folder: string;
  readonly config: EnclaveConfig;
  readonly tables: ReadonlyMap<string, EncryptedTable>;
  readonly migrations: readonly Migration[];
}

/** @throws ConfigError, EncryptorError */
export function readConfigured(given: string): Configured {
  const folder = resolve(given);
  const file = join(folder, 'enclave.yaml');
  const config = loadConfig(enclaveSchema, file);
  const { tables } = loadEncryptorConfig(join(folder, config.acra.encryptorConfig));
  const { migrations } = config.guard;
  requireMigrations(migrations, tables, file);
  return { folder, config, tables, migrations };
}

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
