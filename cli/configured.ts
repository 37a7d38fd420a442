/** What a measured folder says of the tables, as the enclave reads it too. */
import { join, resolve } from 'node:path';
import { loadEncryptorConfig } from '../acra/encryptor-config/lint.ts';
import type { EncryptedTable } from '../acra/encryptor-config/schema.ts';
import { tokenUseOf } from '../acra/encryptor-config/token-use.ts';
import { requireMigrations } from '../acra/migration/faults.ts';
import type { Migration } from '../acra/migration/migration.ts';
import { type EnclaveConfig, enclaveSchema } from '../config/enclave.ts';
import { loadConfig } from '../config/load.ts';

export interface Configured {
  readonly folder: string;
  readonly config: EnclaveConfig;
  readonly tables: ReadonlyMap<string, EncryptedTable>;
  readonly migrations: readonly Migration[];
}

/** @param knowsTokens whether the caller can do with columns of tokens. @throws ConfigError, EncryptorError */
export function readConfigured(given: string, knowsTokens = false): Configured {
  const folder = resolve(given);
  const file = join(folder, 'enclave.yaml');
  const config = loadConfig(enclaveSchema, file);
  const { tables } = loadEncryptorConfig(
    join(folder, config.acra.encryptorConfig),
    knowsTokens ? tokenUseOf(config) : 'refused',
  );
  const { migrations } = config.guard;
  requireMigrations(migrations, tables, file);
  return { folder, config, tables, migrations };
}
