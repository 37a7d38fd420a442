/**
 * Equality search: `column = value` becomes `substr(column, 1, 33) = hash` (acra-server contract 4.3). Any other
 * comparison of a protected column with a value would send the value in plaintext, and is refused; acra-server passes
 * it on and finds nothing (section 10.7).
 */
import type { A_Expr, Node } from 'libpg-query';
import type { Draft } from './draft.ts';
import { requireReadable } from './readable.ts';
import { Refusal } from './refusal.ts';
import { resolveColumn, type Source, sourceOf, sourcesOf, type Tables } from './scope.ts';
import { as, stringsOf, walk } from './tree.ts';

const REWRITABLE = ['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt'];
const SUB_STATEMENTS = [...REWRITABLE, 'MergeStmt'];
const COMPARISONS = ['=', '<>', '<', '<=', '>', '>=', '~', '~*', '!~', '!~*'];
/** Their result says nothing about the plaintext but its length. */
const LENGTHS = ['length', 'octet_length', 'bit_length'];

function protectedNameIn(tree: unknown, sources: readonly Source[]): string | undefined {
  let found: string | undefined;
  walk(tree, (node, kind) => {
    const reference = as(node, 'ColumnRef');
    if (reference) found ??= resolveColumn(sources, reference)?.name;
    return !SUB_STATEMENTS.includes(kind) && !LENGTHS.includes(stringsOf(as(node, 'FuncCall')?.funcname).at(-1) ?? '');
  });
  return found;
}

function hasValue(tree: unknown): boolean {
  let found = false;
  walk(tree, (node, kind) => {
    const constant = as(node, 'A_Const');
    const isHarmless = constant?.isnull || (constant?.sval && !constant.sval.sval);
    found ||= kind === 'ParamRef' || (constant !== undefined && !isHarmless);
    return !SUB_STATEMENTS.includes(kind);
  });
  return found;
}

/** @returns false where the comparison is none that Acra can do */
function takeComparison(
  draft: Draft,
  { kind, name, lexpr, rexpr, location }: A_Expr,
  sources: readonly Source[],
): boolean {
  const [left, right] = [as(lexpr, 'ColumnRef'), as(rexpr, 'ColumnRef')];
  if (!left) return false;
  const column = resolveColumn(sources, left);
  if (kind !== 'AEXPR_OP' || !['=', '<>'].includes(stringsOf(name).join('.')) || !column?.searchable) return false;
  const next = draft.tokensFrom(left.location, 2 * (left.fields?.length ?? 1)).at(-1);
  const isParenthesized = next?.start !== location || draft.tokensFrom(location, 2).at(-1)?.text === '(';
  if (isParenthesized) return false;
  const isValue = ['A_Const', 'ParamRef', 'TypeCast'].some((each) => rexpr && each in rexpr);
  const compared = right && resolveColumn(sources, right);
  if (right && compared?.searchable) draft.takeSearchColumn(right, compared);
  else if (isValue) draft.takeValue(rexpr, { column, role: 'search' });
  else return false;
  draft.takeSearchColumn(left, column);
  return true;
}

function refuseLeak({ kind, name, lexpr, rexpr }: A_Expr, sources: readonly Source[]): void {
  if (kind === 'AEXPR_OP' && !COMPARISONS.includes(stringsOf(name).at(-1) ?? '')) return;
  const inLeft = hasValue(rexpr) && protectedNameIn(lexpr, sources);
  const found = inLeft || (hasValue(lexpr) && protectedNameIn(rexpr, sources));
  if (found)
    throw new Refusal(
      'acra-server',
      `protected column "${found}" is compared with a value in a way that acra-server cannot do`,
    );
}

/** @param isAlone whether this is the only statement of its message. @throws Refusal */
export function judgeSearch(draft: Draft, tables: Tables, statement: Node, isAlone: boolean): void {
  const all: Source[] = [];
  walk(statement, (node, kind) => {
    const relation = as(node, 'RangeVar') ?? (kind === 'relation' ? Object.values(node)[0] : undefined);
    if (relation) all.push(sourceOf(tables, relation));
    return true;
  });
  if (!all.some(({ table }) => table)) return;
  let isTaken = false;
  const visit = (tree: unknown, sources: Source[] | undefined) => {
    walk(tree, (node, kind) => {
      const expression = as(node, 'A_Expr');
      if (expression && sources && takeComparison(draft, expression, sources)) isTaken = true;
      else if (expression) refuseLeak(expression, sources ?? all);
      if (!SUB_STATEMENTS.includes(kind)) return true;
      visit(Object.values(node), undefined);
      return false;
    });
  };
  const sources = sourcesOf(tables, statement);
  const isOther =
    as(statement, 'SelectStmt')?.larg !== undefined || as(statement, 'DeleteStmt')?.usingClause !== undefined;
  const isTop =
    isAlone && !isOther && REWRITABLE.includes(Object.keys(statement)[0] ?? '') && sources.every(({ name }) => name);
  visit(Object.values(statement), isTop ? sources : undefined);
  if (isTaken) requireReadable(draft, statement);
}
