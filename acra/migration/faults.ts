/** What in `guard.migrations` does not go together with the encryptor configuration. */
import { isDeepStrictEqual } from 'node:util';
import { ConfigError } from '../../config/errors.ts';
import type { EncryptedTable } from '../encryptor-config/schema.ts';
import type { Migration } from './migration.ts';

function faultOf(
  { table, column, beside, old }: Migration,
  tables: ReadonlyMap<string, EncryptedTable>,
  others: readonly Migration[],
): string | undefined {
  const { columns = [], encrypted } = tables.get(table) ?? {};
  const [own, other] = [encrypted?.get(column), encrypted?.get(beside)];
  if (!own) return `column "${column}" of table "${table}" is not protected by the encryptor configuration`;
  if (own.token) return `column "${column}" of table "${table}" has tokens, which existing rows are not exchanged for`;
  if (!other)
    return `column "${beside}" of table "${table}" is not protected by the encryptor configuration: it must be, as "${column}" is`;
  if (!isDeepStrictEqual({ ...own, name: beside }, other))
    return `column "${beside}" of table "${table}" is protected otherwise than "${column}"`;
  if (columns.includes(old))
    return `column "${old}" of table "${table}" is in the encryptor configuration: applications do not know it`;
  const names = others.filter((each) => each.table === table).flatMap((each) => [each.column, each.beside, each.old]);
  const twice = [column, beside, old].find((name, index, all) => names.includes(name) || all.indexOf(name) !== index);
  return twice === undefined ? undefined : `column "${twice}" of table "${table}" is named twice`;
}

/**
 * @param file enclave.yaml, for messages
 * @throws ConfigError CONFIG_INVALID with all of them
 */
export function requireMigrations(
  migrations: readonly Migration[],
  tables: ReadonlyMap<string, EncryptedTable>,
  file: string,
): void {
  const lines = migrations.flatMap((migration, index) => {
    const message = faultOf(migration, tables, migrations.slice(0, index));
    return message === undefined ? [] : [`  - guard.migrations.${index}: ${message}`];
  });
  if (lines.length > 0) throw new ConfigError('CONFIG_INVALID', `${file} is not valid:\n${lines.join('\n')}`);
}
