/**
 * What a query of WITH RECURSIVE is within itself, before it has been judged: its columns are those of the relations in it, and hold values
 * of the statement where either of its two parts puts some in (PostgreSQL 18, "Recursive Queries").
 */
import type { CommonTableExpr, Node, ResTarget, SelectStmt } from 'libpg-query';
import { allAs, allOf, as, isValueConstant, stringsOf } from '../tree.ts';
import { columnName } from './column-names.ts';
import { type Column, PLAIN_TABLE, UNKNOWN } from './columns.ts';
import type { Scope } from './relations.ts';
import { isStarred } from './stars.ts';

export const mentions = (tree: Node | undefined, name: string) =>
  allOf(tree, 'RangeVar').some(({ relname }) => relname === name);

export function itself(recursive: CommonTableExpr, outer: Scope): readonly Column[] {
  const { ctename: name = '', ctequery: query } = recursive;
  const { tables, receivers } = outer.database;
  const isKnown =
    allOf(query, 'RangeVar').every(
      (each) =>
        (each.relname === name && !each.schemaname) || tables.has(each.relname ?? '') || receivers.isPlain(each),
    ) && allOf(allOf(query, 'RangeFunction'), 'FuncCall').every((call) => receivers.isPlainFunction(call));
  const star = isKnown ? PLAIN_TABLE : UNKNOWN;
  if (!hasValues(query) && !readsQueries(query, outer)) return star;
  const output = isKnown ? 'unprotected' : 'unlisted';
  const free = namesWithoutValues(recursive, outer).filter((each) => !outer.isOfSomeTable(each));
  const columns = free.map((each): Column => ({ name: each, output, isReference: true }));
  return [...columns, ...star.map((column) => ({ ...column, holdsValue: true }))];
}

const hasValues = (tree: unknown) => allOf(tree, 'A_Const').some(isValueConstant) || allOf(tree, 'ParamRef').length > 0;

/** Queries further out may yield values. */
const readsQueries = (tree: unknown, outer: Scope) =>
  allOf(tree, 'RangeVar').some(({ relname = '', schemaname }) => !schemaname && outer.query(relname) !== undefined);

/** Those that neither part puts a value in, as far as that is to be seen. */
function namesWithoutValues({ ctequery, aliascolnames }: CommonTableExpr, outer: Scope): string[] {
  const { larg, rarg } = as(ctequery, 'SelectStmt') ?? {};
  const [first, next] = [targetsOf(larg, outer), targetsOf(rarg, outer)];
  if (!first || first.length !== next?.length) return [];
  const aliases = stringsOf(aliascolnames);
  const names = first.map(({ name, val }, index) => aliases[index] ?? name ?? columnName(val) ?? '');
  let free = names.filter((_, index) => !hasValues([first[index], next[index]]));
  for (let before = names; before.length !== free.length; ) {
    before = free;
    const isFed = (name: string) => {
      const fed = allOf(next[names.indexOf(name)], 'ColumnRef').map(({ fields }) => stringsOf(fields).at(-1) ?? '');
      return fed.some((each) => names.includes(each) && !free.includes(each));
    };
    free = free.filter((name) => !isFed(name));
  }
  return free;
}

/** Of one part that reads relations alone, and not by `*`. */
function targetsOf(part: SelectStmt | undefined, outer: Scope): readonly ResTarget[] | undefined {
  const from = allOf(part?.fromClause, 'RangeSubselect').length + allOf(part?.fromClause, 'RangeFunction').length;
  if (!part?.targetList || from > 0 || part.withClause || readsQueries(part.fromClause, outer)) return undefined;
  const targets = allAs(part.targetList, 'ResTarget');
  return targets.some(({ val }) => isStarred(val)) ? undefined : targets;
}
