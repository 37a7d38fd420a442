/** The columns whose existing rows are being encrypted (`guard.migrations`, decision 21). */
import { z } from 'zod';

const MAX_MIGRATIONS = 100;
const name = z.string().min(1).describe('as PostgreSQL stores it, without its schema');

const migration = z
  .strictObject({
    table: name,
    column: name.describe('plaintext until it is switched; the encryptor configuration protects it'),
    beside: name
      .optional()
      .describe('where protected values gather until then, protected alike; default: COLUMN_protected'),
    old: name.optional().describe('what the plaintext is called from then on; default: COLUMN_plain'),
  })
  .transform(({ table, column, beside = `${column}_protected`, old = `${column}_plain` }) => ({
    table,
    column,
    beside,
    old,
  }));

export const migrationsField = z
  .array(migration)
  .max(MAX_MIGRATIONS, { error: `must have at most ${MAX_MIGRATIONS} entries` })
  .prefault([])
  .describe('columns whose existing rows are being encrypted: until their switch their values go as they are');

export function migrationWarnings(
  migrations: readonly { readonly table: string; readonly column: string }[],
): string[] {
  return migrations.map(
    ({ table, column }) =>
      `guard.migrations names ${table}.${column}: until it is switched its values go to the database in plaintext`,
  );
}
