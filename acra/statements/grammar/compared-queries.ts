/**
 * What is compared with the rows of a query: IN (SELECT …), = ANY (SELECT …), = (SELECT …), and rows of several columns. A searchable column
 * in such a row is rewritten to its hash there, so that what works on whole rows inside of the query (DISTINCT, UNION) works on hashes.
 */
import type { Node } from 'libpg-query';
import { as } from '../tree.ts';
import { areRead, type Column, isOpen, isProtected, isUnknown, protectedIn } from './columns.ts';
import type { Scope } from './relations.ts';
import { givenSide, requireSearchable, type Side, sideOf } from './sides.ts';
import { isStarred } from './stars.ts';
import { requireNoValueInQuery } from './unlisted.ts';
import { doubtful, unsupported, usedInside } from './unsupported.ts';
import type { Target, Walk } from './walk.ts';

function targetFor(side: Side | undefined): Target {
  if (side) requireSearchable(side.column);
  return { comparedWith: side?.column };
}

/** What is compared with each column of a query. @param node an expression, or a row of several */
export const testsOf = (node: Node | undefined): readonly (Node | undefined)[] => as(node, 'RowExpr')?.args ?? [node];

/** By = or <>. @param node what is compared: an expression, or a row of several. @throws Refusal */
export function compareWithQuery(own: Walk, node: Node | undefined, query: Node, scope: Scope): void {
  const tests = testsOf(node);
  if (tests.some(isStarred)) {
    own.visit(tests, scope);
    requireNothing(own.query(query, scope));
    return;
  }
  const sides = tests.map((test) => sideOf(own, test, scope));
  const columns = own.query(query, scope, sides.map(targetFor));
  if (tests.length > columns.length && !isOpen(columns) && columns.some(({ isHash }) => isHash)) {
    throw unsupported('value-count', 'there are more values than columns that they are compared with');
  }
  for (const [index, test] of tests.entries()) {
    const [side, column] = [sides[index], columns[index]];
    if (side) own.draft.takeSearchColumn(side.reference, side.column);
    else if (column?.isHash && isProtected(column.output)) compareHash(own, test, column, scope);
    else own.visit(test, scope);
  }
  requireNoValueInQuery(own, tests, columns, scope);
  requireNothing(columns.filter(({ isHash }) => !isHash));
}

function compareHash(own: Walk, test: Node | undefined, { output: column }: Column, scope: Scope): void {
  if (!isProtected(column)) return;
  const side = givenSide(own, test, column, scope);
  if (side) own.draft.takeSearchColumn(side.reference, side.column);
  else own.draft.takeValue(test, { column, role: 'search' });
}

/** That nothing of these is protected, or may be. @param name of a single one. @throws Refusal */
export function requireNothing(columns: readonly Column[], name?: string): void {
  areRead(columns);
  const found = protectedIn(columns);
  if (found) throw usedInside(found);
  const hidden = columns.find((column) => column.output === 'doubtful' || isUnknown([column]));
  if (hidden) throw doubtful(name ?? hidden.name ?? '*');
}
