/**
 * Comparisons. A searchable column is stored with the keyed hash of its value in front, so that equality is equality of the first 33
 * bytes (acra-server contract 4.3): with a value, whose hash goes in its place, or with another searchable column of the same keys.
 */
import type { A_Expr, Node } from 'libpg-query';
import type { EncryptedColumn } from '../../encryptor-config/schema.ts';
import { heldAs, isComparable, whyNot } from '../comparable.ts';
import { as, builtInName } from '../tree.ts';
import { takeArray } from './arrays.ts';
import { compareWithQuery } from './compared-queries.ts';
import type { Scope } from './relations.ts';
import { givenSide, requireSameKeys, requireSearchable, sideOf } from './sides.ts';
import { isStarred } from './stars.ts';
import { unsupported, usedInside } from './unsupported.ts';
import type { Walk } from './walk.ts';

const EQUALITIES: Readonly<Record<string, readonly string[]>> = {
  AEXPR_OP: ['=', '<>'],
  AEXPR_IN: ['=', '<>'],
  AEXPR_OP_ANY: ['='],
  AEXPR_OP_ALL: ['<>'],
  AEXPR_DISTINCT: ['='],
  AEXPR_NOT_DISTINCT: ['='],
};
const QUERY_KINDS: readonly string[] = ['AEXPR_OP', 'AEXPR_DISTINCT', 'AEXPR_NOT_DISTINCT'];

/** @returns false where neither side is a protected column. @throws Refusal */
export function judgeComparison(own: Walk, expression: A_Expr, scope: Scope): boolean {
  const { kind = '', name, lexpr, rexpr } = expression;
  const operator = builtInName(name);
  const isWithQuery = QUERY_KINDS.includes(kind) && isEquality(kind, operator);
  const [query, other] = queryOf(rexpr) ? [queryOf(rexpr), lexpr] : [queryOf(lexpr), rexpr];
  if (isWithQuery && query) {
    compareWithQuery(own, other, query, scope);
    return true;
  }
  const [left, right] = [as(lexpr, 'RowExpr')?.args ?? [], as(rexpr, 'RowExpr')?.args ?? []];
  const hasPlaces = left.length > 0 && left.length === right.length && ![...left, ...right].some(isStarred);
  if (kind === 'AEXPR_OP' && hasPlaces && isEquality(kind, operator)) {
    for (const [index, each] of left.entries())
      if (!compare(own, scope, kind, operator, each, right[index])) own.visit([each, right[index]], scope);
    return true;
  }
  return compare(own, scope, kind, operator, lexpr, rexpr);
}

function queryOf(node: Node | undefined): Node | undefined {
  const link = as(node, 'SubLink');
  return link?.subLinkType === 'EXPR_SUBLINK' ? link.subselect : undefined;
}

const isEquality = (kind: string, operator = '') => EQUALITIES[kind]?.includes(operator) === true;

function compare(
  own: Walk,
  scope: Scope,
  kind: string,
  operator: string | undefined,
  lexpr: Node | undefined,
  rexpr: Node | undefined,
): boolean {
  const found = [sideOf(own, lexpr, scope), sideOf(own, rexpr, scope)];
  const side = found[0] ?? found[1];
  if (!side) return false;
  const { column } = side;
  if (!isEquality(kind, operator)) throw isComparison(kind, operator) ? otherComparison(column) : usedInside(column);
  const left = found[0] ?? givenSide(own, lexpr, side.column, scope);
  const right = found[1] ?? givenSide(own, rexpr, side.column, scope);
  for (const each of [left, right]) if (each) requireSearchable(each.column);
  if (left && right) requireSameKeys(left.column, right.column);
  else takeValues(own, kind, column, left ? rexpr : lexpr);
  for (const each of [left, right]) if (each) own.draft.takeSearchColumn(each.reference, each.column);
  return true;
}

const isComparison = (kind: string, operator = '') =>
  kind !== 'AEXPR_NULLIF' && (kind !== 'AEXPR_OP' || /^[<>=!~]/.test(operator));

function otherComparison(column: EncryptedColumn) {
  const isEver = isComparable(column);
  const allowed = isEver ? ': only =, <>, IN, = ANY and IS DISTINCT FROM can be' : `, and ${whyNot(column)}`;
  return unsupported(
    isEver ? 'comparison' : 'not-searchable',
    `protected column "${column.name}" is compared in a way that its ${heldAs(column)} ${column.token ? 'do' : 'does'} not allow${allowed}`,
  );
}

/** What a list is compared with: its elements. */
function takeValues(own: Walk, kind: string, column: EncryptedColumn, node: Node | undefined): void {
  const isArray = kind.startsWith('AEXPR_OP_A');
  if (isArray) takeArray(own.draft, node, column, 'search');
  else for (const value of as(node, 'List')?.items ?? [node]) own.draft.takeValue(value, { column, role: 'search' });
}
