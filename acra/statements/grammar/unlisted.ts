/**
 * Relations that nobody knows may be views of protected tables, with columns under any name. They are read, but no value of the statement is
 * compared with what they have: a protected column's value would be sent as it is. Values come as literals and parameters, and by columns
 * that no stored relation has.
 */
import type { A_Expr, A_Indirection, CaseExpr, MinMaxExpr, Node } from 'libpg-query';
import { allAs, as, stringsOf, walk } from '../tree.ts';
import { type Column, isOpen, isUnknown } from './columns.ts';
import type { Scope } from './relations.ts';
import { isStarred } from './stars.ts';
import { unsupported } from './unsupported.ts';

/** They work something out, or take a part of it; whatever else there is may compare. */
const NOT_COMPARING = ['+', '-', '*', '/', '%', '^', '||', '->', '->>', '#>', '#>>', '#-', '&', '|', '#'];
const QUERIES = ['SelectStmt', 'SubLink'];

type Operand = Node | undefined;

const isUnlistedColumn = ({ output }: Column) => output === 'unlisted';
/** What a query works out holds a value perhaps, and what it has from a relation does not. */
const mayHoldValue = ({ output, isReference, given, name }: Column) =>
  given !== undefined || (output === 'unprotected' && !isReference && name !== undefined);

function columnsIn(operand: Operand, scope: Scope): Column[] {
  const columns: Column[] = [];
  walk([operand], (node, kind) => {
    const reference = as(node, 'ColumnRef');
    if (reference && !isStarred(node)) columns.push(scope.column(reference));
    return !QUERIES.includes(kind);
  });
  return columns;
}

function hasValue(operand: Operand, scope: Scope): boolean {
  let isFound = false;
  walk([operand], (node, kind) => {
    const constant = as(node, 'A_Const');
    if ((constant && !constant.isnull && !constant.boolval) || as(node, 'ParamRef') || kind === 'SubLink')
      isFound = true;
    return !isFound;
  });
  return isFound || columnsIn(operand, scope).some(mayHoldValue);
}

function refused(): Error {
  return unsupported(
    'column-unlisted',
    'a column is compared with a value, and its relation is neither in the encryptor configuration nor in guard.list: it may be a view of a protected table',
  );
}

/** @throws Refusal */
function requireApart(operands: readonly Operand[], scope: Scope): void {
  if (!scope.hasUnlisted()) return;
  const isUnlisted = operands.some((each) => columnsIn(each, scope).some(isUnlistedColumn));
  if (isUnlisted && operands.some((each) => hasValue(each, scope))) throw refused();
}

/** @throws Refusal */
export function requireNoValueFor({ kind, name, lexpr, rexpr }: A_Expr, scope: Scope): void {
  const operator = stringsOf(name).at(-1) ?? '';
  if (kind === 'AEXPR_OP' && NOT_COMPARING.includes(operator)) return;
  requireApart([lexpr, rexpr], scope);
}

/** CASE … WHEN …. @throws Refusal */
export function requireNoValueInCase({ arg, args }: CaseExpr, scope: Scope): void {
  if (arg) requireApart([arg, ...allAs(args, 'CaseWhen').map(({ expr }) => expr)], scope);
}

/** @param columns of the query that they are compared with. @throws Refusal */
export function requireNoValueInQuery(tests: readonly Operand[], columns: readonly Column[], scope: Scope): void {
  const isUnlisted = columns.some((column) => isUnlistedColumn(column) || isUnknown([column]));
  if (isUnlisted && tests.some((test) => hasValue(test, scope))) throw refused();
  if (!columns.some(mayHoldValue)) return;
  if (tests.some((test) => columnsIn(test, scope).some(isUnlistedColumn))) throw refused();
}

/** UNION, INTERSECT and EXCEPT compare the rows of two queries. @throws Refusal */
export function requireNoValueInRows(left: readonly Column[], right: readonly Column[]): void {
  for (const [index, column] of left.entries()) {
    const pair = [column, right[index]].filter((each) => each !== undefined);
    if (pair.some(isUnlistedColumn) && pair.some(mayHoldValue)) throw refused();
  }
}

/** GREATEST and LEAST. @throws Refusal */
export function requireNoValueAmong({ args = [] }: MinMaxExpr, scope: Scope): void {
  requireApart(args, scope);
}

/** Whether an expression has such a column in it, and so may have its value. How many there are has not. */
export const isOfUnlisted = (node: Operand, scope: Scope) =>
  scope.hasUnlisted() &&
  stringsOf(as(node, 'FuncCall')?.funcname).at(-1) !== 'count' &&
  columnsIn(node, scope).some(isUnlistedColumn);

/** What USING and NATURAL compare. @throws Refusal */
export function requireNoValueInJoin(names: readonly string[], sides: readonly (readonly Column[])[]): void {
  for (const name of names) {
    const found = sides.map((side) => side.find((column) => column.name === name));
    const isUnlisted = sides.some((side, index) => (found[index] ? isUnlistedColumn(found[index]) : isUnknown(side)));
    if (isUnlisted && found.some((column) => column && mayHoldValue(column))) throw refused();
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
