/**
 * Expressions. A protected column may be a result, be asked whether it is NULL, be counted, and be compared for equality where it is
 * searchable. In any other place the database would work on ciphertext, and give a wrong answer without an error: refused.
 */
import type { A_Expr, ColumnRef, FuncCall, Node, SubLink } from 'libpg-query';
import type { Output } from '../outputs.ts';
import { allAs, as, stringsOf, walk } from '../tree.ts';
import { compareWithQuery, requireNothing } from './compared-queries.ts';
import { judgeComparison, operatorOf } from './comparisons.ts';
import { areRead, type Column, isProtected, protectedIn, type Scope } from './relations.ts';
import { judgeSetConfig } from './settings.ts';
import { isStarred } from './stars.ts';
import { requireField, requireNoValueInCase } from './unlisted.ts';
import { doubtful, unsupported, usedInside } from './unsupported.ts';
import type { Walk } from './walk.ts';

const QUERIES = ['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'];

export function visit(own: Walk, tree: unknown, scope: Scope): void {
  walk(tree, (node, kind) => {
    const [reference, expression, test] = [as(node, 'ColumnRef'), as(node, 'A_Expr'), as(node, 'NullTest')];
    const [call, link] = [as(node, 'FuncCall'), as(node, 'SubLink')];
    if (call) judgeCall(call, scope);
    requireNoHiddenColumn(node, scope);
    const choice = as(node, 'CaseExpr');
    if (choice) requireNoValueInCase(choice, scope);
    if (reference) requirePlain(scope, reference);
    else if (expression) visitExpression(own, expression, scope);
    else if (test) visitCounted(own, test.arg, scope);
    else if (link) visitSubLink(own, link, scope);
    else if (call && isCount(call)) visitCount(own, call, scope);
    else if (QUERIES.includes(kind)) own.query(node, scope);
    else return true;
    return false;
  });
}

function readColumn(scope: Scope, reference: ColumnRef): Column {
  const column = scope.column(reference);
  areRead([column]);
  return column;
}

function requirePlain(scope: Scope, reference: ColumnRef): void {
  const qualifier = stringsOf(reference.fields).at(-1);
  const isStar = isStarred({ ColumnRef: reference });
  const columns = qualifier === undefined ? scope.star : (scope.named(qualifier)?.columns ?? []);
  const meant = isStar ? columns : [readColumn(scope, reference)];
  areRead(meant);
  if (!isStar && meant[0]?.output === 'doubtful') throw doubtful(stringsOf(reference.fields).at(-1) ?? '');
  const found = protectedIn(meant);
  if (found) throw usedInside(found);
}

function visitExpression(own: Walk, expression: A_Expr, scope: Scope): void {
  if (!judgeComparison(own, expression, scope)) own.visit([expression.lexpr, expression.rexpr], scope);
}

function judgeCall(call: FuncCall, { database }: Scope): void {
  database.receivers.requireFunction(call);
  judgeSetConfig(call);
}

/** A column of a whole row of a relation that nobody knows: `(v).email`, `email(v)`, `v = ROW(…)`. */
function requireNoHiddenColumn(node: Node, scope: Scope): void {
  const [part, call, expression] = [as(node, 'A_Indirection'), as(node, 'FuncCall'), as(node, 'A_Expr')];
  const isRow = (each: Node | undefined) => {
    const reference = as(as(each, 'TypeCast')?.arg ?? each, 'ColumnRef');
    return reference !== undefined && scope.isUnknownRow(reference);
  };
  const name = stringsOf(part?.indirection ?? call?.funcname).at(-1) ?? '';
  if (isRow(part?.arg ?? (call?.args?.length === 1 ? call.args[0] : undefined)) && scope.isOfSomeTable(name))
    throw doubtful(name);
  if (isRow(expression?.lexpr) || isRow(expression?.rexpr)) throw doubtful('*');
  if (part) requireField(part, scope);
}

/** How many are not NULL is the same for ciphertexts. */
function isCount({ funcname, agg_distinct: isDistinct, args }: FuncCall): boolean {
  return stringsOf(funcname).at(-1) === 'count' && !isDistinct && args?.length === 1;
}

function visitCount(own: Walk, { args = [], ...others }: FuncCall, scope: Scope): void {
  visitCounted(own, args[0], scope);
  own.visit(others, scope);
}

/** Whether something is NULL is the same for its ciphertext. */
function visitCounted(own: Walk, node: Node | undefined, scope: Scope): void {
  const reference = as(node, 'ColumnRef');
  if (reference && !isStarred({ ColumnRef: reference })) scope.column(reference);
  else own.yieldOf(node, scope);
}

function visitSubLink(own: Walk, { subLinkType, operName, testexpr, subselect }: SubLink, scope: Scope): void {
  const isEquality = operName === undefined || ['=', '<>'].includes(operatorOf(operName));
  if (subselect && (subLinkType === 'ANY_SUBLINK' || subLinkType === 'ALL_SUBLINK') && isEquality) {
    compareWithQuery(own, testexpr, subselect, scope);
    return;
  }
  own.visit(testexpr, scope);
  const columns = subselect ? own.query(subselect, scope) : [];
  if (subLinkType === 'EXISTS_SUBLINK') areRead(columns);
  else requireNothing(columns);
}

/** `unknown-star` comes from a sub-select that names no columns. */
export function yieldOf(own: Walk, node: Node | undefined, scope: Scope): Output {
  const [reference, cast, link] = [as(node, 'ColumnRef'), as(node, 'TypeCast'), as(node, 'SubLink')];
  const [choice, first] = [as(node, 'CaseExpr'), as(node, 'CoalesceExpr')];
  if (reference && !isStarred({ ColumnRef: reference })) return readColumn(scope, reference).output;
  if (cast && as(cast.arg, 'ColumnRef')) {
    const output = own.yieldOf(cast.arg, scope);
    if (!isProtected(output) || own.draft.takeCast(cast, output)) return output;
    throw unsupported('cast', `protected column "${output.name}" is cast to a type that is not its own`);
  }
  if (link?.subLinkType === 'EXPR_SUBLINK' && link.subselect) {
    const columns = own.query(link.subselect, scope);
    areRead(columns);
    return columns[0]?.output ?? 'unprotected';
  }
  if (choice) {
    requireNoValueInCase(choice, scope);
    own.visit([choice.arg, ...allAs(choice.args, 'CaseWhen').map(({ expr }) => expr)], scope);
    return oneOf(own, [...allAs(choice.args, 'CaseWhen').map(({ result }) => result), choice.defresult], scope);
  }
  if (first) return oneOf(own, first.args ?? [], scope);
  own.visit(node, scope);
  return 'unprotected';
}

/** The same column, or NULL, in every case; or nothing protected in any. */
function oneOf(own: Walk, nodes: readonly (Node | undefined)[], scope: Scope): Output {
  const outputs = nodes.flatMap((node) => (node && !as(node, 'A_Const')?.isnull ? [own.yieldOf(node, scope)] : []));
  const [first = 'unprotected'] = outputs;
  const found = outputs.find(isProtected);
  if (found && outputs.some((output) => output !== found)) throw usedInside(found);
  return first;
}
