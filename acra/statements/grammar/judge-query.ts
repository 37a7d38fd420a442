/**
 * A query by PostgreSQL's grammar, for a guard that protects values itself: every place of a protected column is known, or the query is
 * refused (0A000). Names are resolved as PostgreSQL does; nothing depends on what the database says of itself.
 */
import type { Node } from 'libpg-query';
import type { Draft } from '../draft.ts';
import { as } from '../tree.ts';
import type { Column } from './columns.ts';
import { visit, yieldOf } from './expressions.ts';
import { select } from './queries.ts';
import { type Database, Scope } from './relations.ts';
import { store, storeGiven } from './stored-values.ts';
import type { Targets, Walk } from './walk.ts';
import { insert, merge, remove, update } from './writes.ts';
import { Yields } from './yields.ts';

function walkWith(draft: Draft): Walk {
  const own: Walk = {
    draft,
    yields: new Yields(),
    visit: (tree, scope) => visit(own, tree, scope),
    yieldOf: (node, scope) => yieldOf(own, node, scope),
    store: (node, column, scope) => store(own, node, column, scope),
    storeGiven: (given, column) => storeGiven(own, given, column),
    query: (statement, outer, targets) => {
      const columns = query(own, statement, outer, targets) ?? [];
      own.yields.note(statement, columns);
      return columns;
    },
  };
  return own;
}

/** @returns undefined for a statement of another kind */
function query(own: Walk, statement: Node, outer: Scope, given: Targets = []): readonly Column[] | undefined {
  const targets = given.some((target) => target) ? given : [];
  const [selects, inserts, updates] = [
    as(statement, 'SelectStmt'),
    as(statement, 'InsertStmt'),
    as(statement, 'UpdateStmt'),
  ];
  const [deletes, merges] = [as(statement, 'DeleteStmt'), as(statement, 'MergeStmt')];
  if (selects) return select(own, selects, outer, targets);
  if (inserts) return insert(own, inserts, outer);
  if (updates) return update(own, updates, outer);
  if (deletes) return remove(own, deletes, outer);
  return merges && merge(own, merges, outer);
}

/** @returns the columns of its rows; undefined for a statement that is none of these. @throws Refusal */
export function judgeQuery(draft: Draft, database: Database, statement: Node): readonly Column[] | undefined {
  return query(walkWith(draft), statement, new Scope(database));
}

/** An expression by itself, as the values of CALL and EXECUTE are, or COPY's WHERE. @param scope what its names mean; default: nothing. @throws Refusal */
export function judgeExpression(
  draft: Draft,
  database: Database,
  expression: Node,
  scope: Scope = new Scope(database),
): void {
  visit(walkWith(draft), expression, scope);
}
