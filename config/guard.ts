/** What the guard does with statements beside what the encryptor configuration says (section `guard` of enclave.yaml, with `tls: terminate`). */
import { z } from 'zod';
import { durationMs, fileInFolder } from './fields.ts';
import { migrationsField, migrationWarnings } from './migrations.ts';

export const GUARD_MODES = ['enforce', 'report'] as const;
export type GuardMode = (typeof GUARD_MODES)[number];
export const GUARD_RELATIONS = ['listed', 'any'] as const;

export const guardSection = z
  .strictObject({
    mode: z
      .enum(GUARD_MODES)
      .default('enforce')
      .describe('report: what would be refused goes to the database as it is, plaintext and all, and is told'),
    relations: z
      .enum(GUARD_RELATIONS)
      .default('listed')
      .describe(
        'listed: relations and functions that are neither protected nor on the list get no values; any: they do, views of protected tables too',
      ),
    list: fileInFolder
      .optional()
      .describe('which these are, as `acra-enclave guard check-db` writes it; default: none'),
    migrations: migrationsField,
    slowStatementMs: durationMs(1_000).describe('a statement that takes longer is logged, without a value'),
  })
  .refine(({ mode, migrations }) => mode === 'enforce' || migrations.length === 0, {
    path: ['migrations'],
    error: 'must be left out with guard.mode: report, which holds nothing to the switch',
  })
  .prefault({});

/** Whether anything in it changes what the guard does. */
export const isGiven = ({ mode, relations, list, migrations }: z.output<typeof guardSection>) =>
  mode !== 'enforce' || relations !== 'listed' || list !== undefined || migrations.length > 0;

/** What it lets pass that it could keep back, for people. */
export function guardWarnings({
  mode,
  relations,
  migrations = [],
}: Pick<z.output<typeof guardSection>, 'mode' | 'relations'> & {
  readonly migrations?: Parameters<typeof migrationWarnings>[0];
}): string[] {
  return [
    ...(mode === 'report'
      ? ['guard.mode is report: what the guard would refuse goes to the database as it is, plaintext and all']
      : []),
    ...(relations === 'any'
      ? [
          'guard.relations is any: values go to views, partitions and functions that nobody configured, plaintext and all',
        ]
      : []),
    ...migrationWarnings(migrations),
  ];
}
