/**
 * Expressions. A protected column may be a result, be asked whether it is NULL, be counted, and be compared for equality where it is
 * searchable. In any other place the database would work on ciphertext, and give a wrong answer without an error: refused.
 */
import type { A_Expr, ColumnRef, FuncCall, Node, SubLink } from 'libpg-query';
import type { Output } from '../outputs.ts';
import { allAs, allOf, as, builtInName, stringsOf, walk } from '../tree.ts';
import { castColumn, takeCasts } from './cast-columns.ts';
import { areRead, type Column, isOpen, isProtected, isUnknown, protectedIn } from './columns.ts';
import { compareWithQuery, requireNothing, testsOf } from './compared-queries.ts';
import { judgeComparison } from './comparisons.ts';
import { requireOrderings } from './order.ts';
import type { Scope } from './relations.ts';
import { judgeSetConfig } from './settings.ts';
import { isStarred } from './stars.ts';
import { hasUnlisted, requireField, requireNoValueIn, requireNoValueInQuery } from './unlisted.ts';
import { doubtful, unsupported, usedInside } from './unsupported.ts';
import type { Walk } from './walk.ts';

const SHOWN_BY: readonly string[] = ['row_to_json', 'to_json', 'to_jsonb', 'json_agg', 'jsonb_agg', 'array_agg'];
const QUERIES = ['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'];

/** What may compare its parts with each other. */
const COMPARING = ['A_Expr', 'CaseExpr', 'MinMaxExpr', 'FuncCall', 'JsonFuncExpr', 'JsonTable', 'RangeTableFunc'];

export function visit(own: Walk, tree: unknown, scope: Scope): void {
  const visited: Node[] = [];
  walk(tree, (node, kind) => {
    const [reference, expression, test] = [as(node, 'ColumnRef'), as(node, 'A_Expr'), as(node, 'NullTest')];
    const [call, link] = [as(node, 'FuncCall'), as(node, 'SubLink')];
    if (call) judgeCall(call, scope);
    requireOrderings([node], scope);
    requireNoHiddenField(node, scope);
    if (COMPARING.includes(kind)) visited.push(node);
    if (reference) requirePlain(scope, reference);
    else if (expression) visitExpression(own, expression, scope);
    else if (test) visitCounted(own, test.arg, scope);
    else if (link) visitSubLink(own, link, scope);
    else if (call && isCount(call)) visitCount(own, call, scope);
    else if (QUERIES.includes(kind)) requireNothing(own.query(node, scope));
    else return true;
    return false;
  });
  // What sub-selects in them yield is known by now.
  for (const node of visited) requireNoValueIn(own, node, scope);
}

function readColumn(scope: Scope, reference: ColumnRef): Column {
  const column = scope.column(reference);
  areRead([column]);
  return column;
}

function requirePlain(scope: Scope, reference: ColumnRef): void {
  const isStar = isStarred({ ColumnRef: reference });
  if (isStar) requireNothing(scope.columnsOf(reference) ?? []);
  else requireNothing([readColumn(scope, reference)], stringsOf(reference.fields).at(-1));
}

/** What PostgreSQL's grammar calls by a word. */
const IN_WORDS: readonly string[] = [
  'AEXPR_BETWEEN',
  'AEXPR_NOT_BETWEEN',
  'AEXPR_BETWEEN_SYM',
  'AEXPR_NOT_BETWEEN_SYM',
];

function visitExpression(own: Walk, expression: A_Expr, scope: Scope): void {
  const { kind = '', name, lexpr, rexpr } = expression;
  if (!IN_WORDS.includes(kind)) scope.database.receivers.requireOperator(name, [lexpr, rexpr]);
  if (!judgeComparison(own, expression, scope)) own.visit([expression.lexpr, expression.rexpr], scope);
}

function judgeCall(call: FuncCall, { database }: Scope): void {
  database.receivers.requireFunction(call);
  judgeSetConfig(call);
}

/** A field of a composite value that nobody knows: `(f()).email`, `email(v.pair)`. */
function requireNoHiddenField(node: Node, scope: Scope): void {
  const [part, call] = [as(node, 'A_Indirection'), as(node, 'FuncCall')];
  const { receivers } = scope.database;
  const of =
    part?.arg ?? (call && !receivers.isPlainFunction(call) && call.args?.length === 1 ? call.args[0] : undefined);
  const name = stringsOf(part?.indirection ?? call?.funcname).at(-1) ?? '';
  if (part) requireField(part, scope);
  if (!of || !scope.isOfSomeTable(name)) return;
  const isHidden = scope.hasUnlisted() && allOf(of, 'ColumnRef').length > 0;
  if (isHidden || allOf(of, 'FuncCall').some((each) => !receivers.isPlainFunction(each))) throw doubtful(name);
}

/** How many are not NULL is the same for ciphertexts. */
function isCount({ funcname, agg_distinct: isDistinct, args }: FuncCall): boolean {
  return builtInName(funcname) === 'count' && !isDistinct && args?.length === 1;
}

function visitCount(own: Walk, { args = [], ...others }: FuncCall, scope: Scope): void {
  visitCounted(own, args[0], scope);
  own.visit(others, scope);
}

/** Whether something is NULL is the same for its ciphertext. */
function visitCounted(own: Walk, node: Node | undefined, scope: Scope): void {
  const reference = as(node, 'ColumnRef');
  if (!reference) own.yieldOf(node, scope);
  else if (isStarred(node)) requireNoProtected(scope.columnsOf(reference) ?? []);
  else scope.column(reference);
}

function requireNoProtected(columns: readonly Column[]): void {
  areRead(columns);
  const found = protectedIn(columns);
  if (found) throw usedInside(found);
}

function visitSubLink(own: Walk, { subLinkType, operName, testexpr, subselect }: SubLink, scope: Scope): void {
  const isEquality = operName === undefined || ['=', '<>'].includes(builtInName(operName) ?? '');
  if (subselect && (subLinkType === 'ANY_SUBLINK' || subLinkType === 'ALL_SUBLINK') && isEquality) {
    compareWithQuery(own, testexpr, subselect, scope);
    return;
  }
  if (operName) scope.database.receivers.requireOperator(operName, [testexpr]);
  own.visit(testexpr, scope);
  const columns = subselect ? own.query(subselect, scope) : [];
  if (testexpr) requireNoValueInQuery(own, testsOf(testexpr), columns, scope);
  if (subLinkType === 'EXISTS_SUBLINK') areRead(columns);
  else requireNothing(columns);
}

export function yieldOf(own: Walk, node: Node | undefined, scope: Scope): Output {
  const [named, link] = [castColumn(node), as(node, 'SubLink')];
  const [choice, first, call] = [as(node, 'CaseExpr'), as(node, 'CoalesceExpr'), as(node, 'FuncCall')];
  if (named) {
    const { output } = readColumn(scope, named.reference);
    if (!isProtected(output) || takeCasts(own.draft, named.casts, output)) return output;
    throw unsupported('cast', `protected column "${output.name}" is cast to a type that is not its own`);
  }
  if (link?.subLinkType === 'EXPR_SUBLINK' && link.subselect) {
    const columns = own.query(link.subselect, scope);
    areRead(columns);
    return isUnknown(columns) ? 'doubtful' : isOpen(columns) ? 'unprotected' : (columns[0]?.output ?? 'unprotected');
  }
  if (call && isShownRow(call, scope)) return 'doubtful';
  if (choice) {
    own.visit([choice.arg, ...allAs(choice.args, 'CaseWhen').map(({ expr }) => expr)], scope);
    requireNoValueIn(own, { CaseExpr: choice }, scope);
    return oneOf(own, [...allAs(choice.args, 'CaseWhen').map(({ result }) => result), choice.defresult], scope);
  }
  if (first) return oneOf(own, first.args ?? [], scope);
  own.visit(node, scope);
  return hasUnlisted(own, node, scope) ? 'unlisted' : 'unprotected';
}

/** A whole row of a relation that nobody knows as JSON or an array: a result like the row itself. */
function isShownRow({ funcname, args = [], ...others }: FuncCall, scope: Scope): boolean {
  const reference = as(args[0], 'ColumnRef');
  const isPlain = args.length === 1 && !others.agg_order && !others.agg_filter && !others.over;
  if (!reference || isStarred(args[0]) || !isPlain || !SHOWN_BY.includes(builtInName(funcname) ?? '')) return false;
  return scope.column(reference).isRow === true;
}

const HIDDEN: readonly Output[] = ['doubtful', 'unlisted'];

/** The same column, or NULL, in every case; or nothing protected in any. */
function oneOf(own: Walk, nodes: readonly (Node | undefined)[], scope: Scope): Output {
  const outputs = nodes.flatMap((node) => (node && !as(node, 'A_Const')?.isnull ? [own.yieldOf(node, scope)] : []));
  const [first = 'unprotected'] = outputs;
  const found = outputs.find(isProtected);
  if (found && outputs.some((output) => output !== found)) throw usedInside(found);
  return HIDDEN.find((hidden) => outputs.includes(hidden)) ?? first;
}
