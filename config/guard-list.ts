/**
 * The list of what a database has that may receive values (`guard.list` of enclave.yaml): a file of its own, because a program writes it
 * (`acra-enclave guard check-db`) and people read it. It is measured like enclave.yaml: a database that hides a view gains nothing by it.
 */
import { join } from 'node:path';
import { z } from 'zod';
import type { EnclaveConfig } from './enclave.ts';
import { loadConfig } from './load.ts';

const MAX_NAMES = 100_000;

const names = z
  .array(z.string().min(1).describe('as PostgreSQL stores it, without its schema'))
  .max(MAX_NAMES, { error: `must have at most ${MAX_NAMES} entries` })
  .prefault([]);

export const guardListSchema = z
  .strictObject({
    version: z.literal(1),
    relations: names.describe('tables and views that may be written, with values as they are'),
    functions: names.describe('functions and procedures that may be given values'),
    operators: names.describe('operators that PostgreSQL does not have, and that may be given values'),
    uniqueSearches: z
      .array(z.string().regex(/^.+\..+$/, { error: 'must be TABLE.COLUMN, or TABLE.(COLUMN,COLUMN)' }))
      .max(MAX_NAMES, { error: `must have at most ${MAX_NAMES} entries` })
      .prefault([])
      .describe(
        'searchable columns with a unique index on substr(COLUMN, 1, 33): ON CONFLICT may name them; TABLE.(COLUMN,COLUMN) where the index has several',
      ),
  })
  .describe('guard-list.yaml: what the database has that may receive values; measured');
export type GuardList = z.output<typeof guardListSchema>;

/** @returns an empty one where none is named. @throws ConfigError */
export function loadGuardList({ guard: { list } }: Pick<EnclaveConfig, 'guard'>, folder: string): GuardList {
  return list === undefined ? guardListSchema.parse({ version: 1 }) : loadConfig(guardListSchema, join(folder, list));
}
