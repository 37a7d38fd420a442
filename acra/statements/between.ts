/**
 * What becomes of statements in a session that is before the switch of a column (decision 21): they are judged as if the column were
 * protected, and then planned as if it were not, behind a fence.
 */

import type { Node } from 'libpg-query';
import type { Migration } from '../migration/migration.ts';
import type { Sides } from '../migration/sides.ts';
import { withPlain } from '../migration/tables.ts';
import { names } from './grammar/fence.ts';
import type { ParsedText } from './parser.ts';
import type { Plan } from './plan.ts';
import { Refusal } from './refusal.ts';
import type { Tables } from './scope.ts';
import { as } from './tree.ts';

/** @param planWith what the statements come to with these tables, and fences for these columns. @throws Refusal */
export function planBetween(
  { statements }: ParsedText,
  tables: Tables,
  { plain, unprepared }: Sides,
  planWith: (tables: Tables, fenced: readonly Migration[]) => Plan,
): Plan {
  const isNamed = (migration: Migration) => statements.some((statement) => names(statement, migration));
  const found = unprepared.find(isNamed);
  if (found) throw notPrepared(found);
  const own = plain.filter(isNamed);
  if (own.length > 0 && statements.every((statement) => isOfSwitch(statement, own)))
    return planWith(withoutTables(tables, own), []);
  const strict = planWith(tables, []);
  return own.length === 0 ? strict : planWith(withPlain(tables, own), own);
}

function notPrepared({ table, column, beside }: Migration): Refusal {
  return new Refusal(
    'migration',
    `table "${table}" is not prepared: guard.migrations names column "${column}", and there is neither "${beside}" of type bytea beside it nor has the switch been made, or schemas that have the table differ in this`,
    '55000',
  );
}

const withoutTables = (tables: Tables, own: readonly Migration[]): Tables =>
  new Map([...tables].filter(([name]) => !own.some(({ table }) => table === name)));

/** ALTER TABLE … RENAME COLUMN: nothing else of the switch is refused otherwise. */
function isOfSwitch(statement: Node, plain: readonly Migration[]): boolean {
  const { renameType, relation, subname, newname } = as(statement, 'RenameStmt') ?? {};
  return plain.some(({ table, column, beside, old }) => {
    const isPair = (subname === column && newname === old) || (subname === beside && newname === column);
    return renameType === 'OBJECT_COLUMN' && relation?.relname === table && isPair;
  });
}
