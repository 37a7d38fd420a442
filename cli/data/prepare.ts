/** What `data prepare` does at the database itself: it finds what is not there yet, and makes it. No plaintext is read, and no key needed. */

import { checkFor } from '../../acra/belts/check.ts';
import { beltName } from '../../acra/belts/names.ts';
import type { MigrationFinding } from '../../acra/migration/findings.ts';
import {
  columnDefinitions,
  type Definition,
  type PreparedColumn,
  slowDefinitions,
} from '../../acra/migration/prepare-statements.ts';
import { identifier } from '../../postgres/sql-names.ts';
import { type Connection, run } from './connection.ts';
import type { Inspected } from './inspect.ts';
import { canBeUnique, judgeColumn, madeOf } from './preflight.ts';

export interface Preparation {
  readonly findings: readonly MigrationFinding[];
  /** All in one transaction. */
  readonly quick: readonly Definition[];
  /** Each by itself. */
  readonly slow: readonly Definition[];
}

/** The belt that `guard ddl` writes, under the name that it has there behind the switch. */
function checkOf({ configured, table }: Inspected): PreparedColumn['check'] {
  return { name: beltName(configured.name), expression: checkFor(configured, table.migration.beside) };
}

function preparedColumn(inspected: Inspected): PreparedColumn {
  const { table, configured, columns } = inspected;
  const search = canBeUnique(inspected) ? 'unique' : 'index';
  return {
    schema: table.schema,
    migration: table.migration,
    check: checkOf(inspected),
    key: table.key.map(({ name }) => name),
    isBytea: columns.get(table.migration.column)?.type === 'bytea',
    search: configured.searchable ? search : 'none',
  };
}

export function planPreparation(inspected: Inspected): Preparation {
  const findings = judgeColumn(inspected, true);
  if (inspected.side === 'switched') return { findings: [], quick: [], slow: [] };
  const made = madeOf(inspected);
  const prepared = preparedColumn(inspected);
  const column = { ...prepared, check: { ...prepared.check, name: made.checkName ?? prepared.check.name } };
  const drops = made.invalidIndexes.map((name) => ({
    what: 'an index that was not finished goes',
    sql: `DROP INDEX CONCURRENTLY ${identifier(inspected.table.schema)}.${identifier(name)}`,
  }));
  const isQuickDone = inspected.side === 'plain' && made.checkName !== undefined && made.hasTrigger;
  return {
    findings,
    quick: isQuickDone ? [] : columnDefinitions(column, made.checkName !== undefined),
    slow: [
      ...drops,
      ...slowDefinitions(column, {
        isCheckValid: made.isCheckValid,
        hasRestIndex: made.hasRestIndex,
        hasHashIndex: made.hasHashIndex,
      }),
    ],
  };
}

/** Nobody stands long behind the lock that a column takes. */
const LOCK_TIMEOUT_MS = 5_000;

/** As psql would run it. */
export function preparationText({ quick, slow }: Preparation): string {
  const lines = (definitions: readonly Definition[]) =>
    definitions.flatMap(({ what, sql }) => [`-- ${what}`, `${sql};`]);
  const transaction = ['BEGIN;', `SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS};`, ...lines(quick), 'COMMIT;'];
  return [...(quick.length > 0 ? transaction : []), ...lines(slow)].join('\n');
}

/** @throws what the database says, with nothing half done but indexes, which the next run mends */
export async function applyPreparation(
  connection: Connection,
  { quick, slow }: Preparation,
  told: (what: string) => void,
): Promise<void> {
  if (quick.length > 0) {
    await run(connection, 'BEGIN');
    try {
      await run(connection, `SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
      for (const { what, sql } of quick) {
        told(what);
        await run(connection, sql);
      }
      await run(connection, 'COMMIT');
    } catch (error) {
      await run(connection, 'ROLLBACK').catch(() => undefined);
      throw error;
    }
  }
  for (const { what, sql } of slow) {
    told(what);
    await run(connection, sql);
  }
}
