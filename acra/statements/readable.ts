/**
 * What the parser of acra-server 0.96.0 reads, as far as that was tried out (acra-server contract 4.4, 10.1). A statement
 * with anything else goes to the database as it came there, plaintext and all; so here it is refused.
 */
import type { Node } from 'libpg-query';
import { scanAcraString } from './acra-scanner.ts';
import type { Draft } from './draft.ts';
import { Refusal } from './refusal.ts';
import { as, stringsOf, walk } from './tree.ts';

const wordsOf = (text: string) => new Set(text.split(' '));
const NODES = wordsOf(
  'InsertStmt UpdateStmt DeleteStmt SelectStmt RangeVar JoinExpr RangeSubselect ResTarget ColumnRef A_Star A_Const ParamRef ' +
    'TypeCast A_Expr BoolExpr NullTest BooleanTest CaseExpr CaseWhen CoalesceExpr MinMaxExpr FuncCall RowExpr SubLink ' +
    'SetToDefault SortBy LockingClause List String Integer Float Boolean',
);
const OPERATORS = wordsOf('= <> < > <= >= + - * / % ^ & | -> ->> #> #>>');
const OTHER_COMPARISONS = wordsOf(
  'AEXPR_IN AEXPR_LIKE AEXPR_ILIKE AEXPR_BETWEEN AEXPR_NOT_BETWEEN AEXPR_NULLIF AEXPR_OP_ANY',
);
const SUB_LINKS = wordsOf('EXISTS_SUBLINK ANY_SUBLINK EXPR_SUBLINK');
/** Fields that stand for a whole clause. */
const UNREAD_CLAUSES = wordsOf('withClause onConflictClause lateral over agg_filter agg_order windowClause');
/** `$$…$$`, N'', U&'' and words that leave no trace in the parse tree. */
const UNREAD_TOKENS = /^(?:\$(?!\d)|[nu]&?'|(?:isnull|notnull|fetch)$)/i;
const STRING = /^e?'/i;
const LONG_TYPES = /^(?:varying|with|without|precision)$/i;

function isReadableCast(
  draft: Draft,
  { arg, typeName, location }: NonNullable<ReturnType<typeof as<'TypeCast'>>>,
): boolean {
  if (stringsOf(typeName?.names).at(-1) === 'interval') return true;
  const [operator, name, next] = draft.tokensFrom(location, 3);
  const isShort = !typeName?.typmods && !typeName?.arrayBounds && !LONG_TYPES.test(next?.text ?? '');
  const isValue = arg !== undefined && ('A_Const' in arg || 'ParamRef' in arg);
  return isShort && isValue && operator?.text === '::' && name?.text.startsWith('"') === false;
}

function isReadable(draft: Draft, node: Node, kind: string): boolean {
  const [cast, expression, subLink] = [as(node, 'TypeCast'), as(node, 'A_Expr'), as(node, 'SubLink')];
  if (cast) return isReadableCast(draft, cast);
  if (expression?.kind === 'AEXPR_OP') return OPERATORS.has(stringsOf(expression.name).join('.'));
  if (expression) return OTHER_COMPARISONS.has(expression.kind ?? '');
  if (subLink) return SUB_LINKS.has(subLink.subLinkType ?? '');
  if (as(node, 'FuncCall')?.funcformat === 'COERCE_SQL_SYNTAX') return false;
  if (as(node, 'BooleanTest')?.booltesttype?.endsWith('UNKNOWN')) return false;
  if (as(node, 'LockingClause') && as(node, 'LockingClause')?.waitPolicy !== 'LockWaitBlock') return false;
  if ((as(node, 'SortBy')?.sortby_nulls ?? 'SORTBY_NULLS_DEFAULT') !== 'SORTBY_NULLS_DEFAULT') return false;
  if (kind === 'distinctClause') return JSON.stringify(node) === '{"distinctClause":[{}]}';
  return /^[A-Z]/.test(kind) ? NODES.has(kind) : !UNREAD_CLAUSES.has(kind);
}

/** @throws Refusal */
export function requireReadable(draft: Draft, statement: Node): void {
  const tokens = draft.tokensFrom(undefined);
  const token = tokens.find(({ text }) => UNREAD_TOKENS.test(text));
  if (token)
    throw new Refusal('acra-server', `acra-server cannot read this statement, because of ${token.text.slice(0, 2)}`);
  if (tokens.some(({ text }) => STRING.test(text) && scanAcraString(text) === undefined)) {
    throw new Refusal('acra-server', 'acra-server cannot read this statement, because of a backslash before a quote');
  }
  walk(statement, (node, kind) => {
    const isNested = kind === 'valuesLists' && !('InsertStmt' in statement);
    if (!isNested && isReadable(draft, node, kind)) return true;
    throw new Refusal('acra-server', `acra-server cannot read this statement, because of ${kind}`);
  });
}
