/**
 * Relations that nobody knows may be views of protected tables, with columns under any name. They are read, but no value of the statement is
 * compared with what they have: a protected column's value would be sent as it is. Values come as literals and parameters, and by columns
 * that no stored relation has. What does not compare is known by its name (working-out.ts).
 */

import type { A_Expr, A_Indirection, FuncCall, Node, SubLink } from 'libpg-query';
import { allAs, allOf, as, builtInName, isValueConstant, stringsOf, walk } from '../tree.ts';
import { type Column, isOpen, isUnlisted, mayHoldValue, workedOutOf } from './columns.ts';
import type { Scope } from './relations.ts';
import { isStarred } from './stars.ts';
import { unsupported } from './unsupported.ts';
import type { Walk } from './walk.ts';
import { carriedBy, comparedBy, isPlainPath, worksOutOperator } from './working-out.ts';

const QUERIES = ['SelectStmt', 'SubLink'];
const COUNTERS = ['count', 'row_number', 'rank', 'dense_rank', 'percent_rank', 'cume_dist', 'ntile'];
const COMPARED_INSIDE = ['ANY_SUBLINK', 'ALL_SUBLINK', 'EXISTS_SUBLINK'];

type Operand = Node | undefined;

function columnsIn(operand: Operand, scope: Scope): Column[] {
  const columns: Column[] = [];
  walk([operand], (node, kind) => {
    const reference = as(node, 'ColumnRef');
    if (reference && !isStarred(node)) columns.push(scope.column(reference));
    return !QUERIES.includes(kind) && !isCounter(node);
  });
  return columns;
}

/** Whether what it comes to depends on such a column; with sub-selects, which must have been visited. */
export function hasUnlisted(own: Walk, operand: Operand, scope: Scope): boolean {
  let isFound = scope.hasUnlisted() && columnsIn(operand, scope).some(isUnlisted);
  if (isFound || !own.yields.hasUnlisted) return isFound;
  walk([operand], (node, kind) => {
    const { subLinkType = '', subselect } = as(node, 'SubLink') ?? {};
    const isYielded = subselect && !COMPARED_INSIDE.includes(subLinkType);
    if (isYielded && own.yields.of(subselect).some(isUnlisted)) isFound = true;
    return !isFound && !QUERIES.includes(kind) && !isCounter(node);
  });
  return isFound;
}

/** How many rows there are, and which of them one is, is no value of any. */
function isCounter(node: Node): boolean {
  const { funcname, agg_within_group: isHypothetical } = as(node, 'FuncCall') ?? {};
  return !isHypothetical && COUNTERS.includes(builtInName(funcname) ?? '');
}

/** Whether a value of the statement may be in what comes out. */
export function hasValue(own: Walk, operand: Operand | readonly Operand[], scope: Scope): boolean {
  let isFound = false;
  walk([operand], (node, kind) => {
    if (isFound) return false;
    const [constant, reference, link, carried] = [
      as(node, 'A_Const'),
      as(node, 'ColumnRef'),
      as(node, 'SubLink'),
      carriedBy(node) ?? carriedByTable(node),
    ];
    if ((constant && isValueConstant(constant)) || as(node, 'ParamRef')) isFound = true;
    else if (reference) isFound = !isStarred(node) && mayHoldValue(scope.column(reference));
    else if (link) isFound = yieldsValue(own, link);
    else if (carried) isFound = hasValue(own, carried, scope);
    return !isFound && !carried && !QUERIES.includes(kind);
  });
  return isFound;
}

/** Of what a sub-select finds, and not of what it tells of it; as `hasUnlisted`. */
const yieldsValue = (own: Walk, { subLinkType, subselect }: SubLink) =>
  !COMPARED_INSIDE.includes(subLinkType ?? '') &&
  subselect !== undefined &&
  own.yields.of(subselect).some(mayHoldValue);

function refused(): Error {
  return unsupported(
    'column-unlisted',
    'a column is compared with a value, and its relation is neither in the encryptor configuration nor in guard.list: it may be a view of a protected table',
  );
}

/** @throws Refusal */
function requireApart(own: Walk, operands: readonly Operand[], scope: Scope): void {
  if (!scope.hasUnlisted() && !own.yields.hasUnlisted) return;
  const isOf = operands.some((each) => hasUnlisted(own, each, scope));
  if (isOf && operands.some((each) => hasValue(own, each, scope))) throw refused();
}

/** @throws Refusal */
function requireNoValueFor(own: Walk, { kind, name, lexpr, rexpr }: A_Expr, scope: Scope): void {
  if (kind === 'AEXPR_OP' && worksOutOperator(name)) return;
  requireApart(own, [lexpr, rexpr], scope);
}

/** A function that is given both may compare the one with the other; what it is given alone it has nothing to compare with. */
function requireNoValueInCall(own: Walk, call: FuncCall, scope: Scope): void {
  const operands = comparedBy(call);
  if (operands.length > 1) requireApart(own, operands, scope);
}

/** What SQL/JSON and XMLTABLE take things out of, where these stand, and what is passed to a filter. */
function pathsIn(node: Node): { readonly of: readonly Operand[]; readonly paths: readonly Operand[] } | undefined {
  const [json, table, xml] = [as(node, 'JsonFuncExpr'), as(node, 'JsonTable'), as(node, 'RangeTableFunc')];
  const of = json ?? table;
  if (xml)
    return {
      of: [xml.docexpr],
      paths: [xml.rowexpr, ...allOf(xml.columns, 'RangeTableFuncCol').map(({ colexpr }) => colexpr)],
    };
  if (!of) return undefined;
  const specs = table
    ? [table.pathspec, ...allOf(table.columns, 'JsonTableColumn').map(({ pathspec }) => pathspec)]
    : [];
  const paths = [json?.pathspec, ...specs.map((spec) => spec?.string)];
  return { of: [of.context_item?.raw_expr, ...(of.passing ?? [])], paths };
}

/** Of JSON_TABLE and XMLTABLE: all but paths that say only where something stands. */
function carriedByTable(node: Node): readonly Operand[] | undefined {
  const [table, xml] = [as(node, 'JsonTable'), as(node, 'RangeTableFunc')];
  const { of, paths } = (table ?? xml) ? (pathsIn(node) ?? {}) : {};
  if (!of || !paths) return undefined;
  const columns = allOf(table?.columns, 'JsonTableColumn');
  const others = [
    ...columns.flatMap(({ on_empty: empty, on_error: error }) => [empty?.expr, error?.expr]),
    ...allOf(xml?.columns, 'RangeTableFuncCol').map(({ coldefexpr }) => coldefexpr),
  ];
  return [...of, ...others, ...paths.filter((path) => path && !isPlainPath(path))];
}

/** What a function in FROM yields: columns of nobody knows which names. */
export function workedOutIn(own: Walk, item: Node, scope: Scope): readonly Column[] {
  const columns: Column[] = [];
  if (hasUnlisted(own, item, scope)) columns.push({ name: undefined, output: 'unlisted' });
  if (hasValue(own, item, scope)) columns.push({ name: undefined, output: 'unprotected', holdsValue: true });
  return workedOutOf(columns);
}

/** Of an expression whose parts have been visited: whether it compares a value with such a column. @throws Refusal */
export function requireNoValueIn(own: Walk, node: Node, scope: Scope): void {
  const [expression, choice, most] = [as(node, 'A_Expr'), as(node, 'CaseExpr'), as(node, 'MinMaxExpr')];
  const [call, paths] = [as(node, 'FuncCall'), pathsIn(node)];
  if (expression) requireNoValueFor(own, expression, scope);
  if (choice?.arg) requireApart(own, [choice.arg, ...allAs(choice.args, 'CaseWhen').map(({ expr }) => expr)], scope);
  if (most) requireApart(own, most.args ?? [], scope);
  if (call) requireNoValueInCall(own, call, scope);
  if (paths) requireApart(own, [...paths.of, ...paths.paths.filter((path) => !isPlainPath(path))], scope);
}

/** @param columns of the query that they are compared with. @throws Refusal */
export function requireNoValueInQuery(
  own: Walk,
  tests: readonly Operand[],
  columns: readonly Column[],
  scope: Scope,
): void {
  if (columns.some(isUnlisted) && tests.some((test) => hasValue(own, test, scope))) throw refused();
  if (columns.some(mayHoldValue) && tests.some((test) => hasUnlisted(own, test, scope))) throw refused();
}

/** UNION, INTERSECT and EXCEPT compare the rows of two queries. @throws Refusal */
export function requireNoValueInRows(left: readonly Column[], right: readonly Column[]): void {
  if (left.some((_, index) => isMixed(left, right, index))) throw refused();
}

/** Whether one column of two queries has values of the statement and what such a relation has. Behind `*` no place is known. */
export function isMixed(left: readonly Column[], right: readonly Column[], index: number): boolean {
  const isPlaced = !isOpen(left) && !isOpen(right);
  const columns = isPlaced ? [left[index], right[index]].filter((each) => each !== undefined) : [...left, ...right];
  return columns.some(isUnlisted) && columns.some(mayHoldValue);
}

/** What USING and NATURAL compare. @throws Refusal */
export function requireNoValueInJoin(names: readonly string[], sides: readonly (readonly Column[])[]): void {
  for (const name of names) {
    const found = sides.map((side) => side.find((column) => column.name === name));
    const columns = sides.flatMap(
      (side, index) => found[index] ?? side.filter(({ output }) => output === 'unknown-star'),
    );
    if (columns.some(isUnlisted) && columns.some(mayHoldValue)) throw refused();
  }
}

/**
 * `(value).name`: a field of a composite value, or a function of it where it has none of that name. Of a stored column, and of what a
 * function of PostgreSQL yields, it is taken for a field. @throws Refusal
 */
export function requireField({ arg, indirection }: A_Indirection, scope: Scope): void {
  const [name] = stringsOf(indirection);
  const { receivers } = scope.database;
  const [call, reference] = [as(arg, 'FuncCall'), as(arg, 'ColumnRef')];
  if (name === undefined || (call && receivers.isPlainFunction(call))) return;
  if (reference && !isStarred(arg)) {
    const row = reference.fields?.length === 1 ? scope.named(stringsOf(reference.fields)[0] ?? '') : undefined;
    const isField = row?.isDerived ? isOpen(row.columns) || row.columns.some((column) => column.name === name) : true;
    if (isField && !mayHoldValue(scope.column(reference))) return;
  }
  receivers.requireFieldName(name);
}
