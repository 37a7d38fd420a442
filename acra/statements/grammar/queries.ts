/** SELECT, VALUES, UNION and WITH: what their columns yield, and what of it is stored where a write takes its rows from them. */
import type { CommonTableExpr, Node, ResTarget, SelectStmt, WithClause } from 'libpg-query';
import type { EncryptedColumn } from '../../encryptor-config/schema.ts';
import type { Output } from '../outputs.ts';
import { allAs, allOf, as } from '../tree.ts';
import { castColumn } from './cast-columns.ts';
import { columnName } from './column-names.ts';
import {
  areRead,
  type Column,
  givenColumn,
  isOpen,
  isProtected,
  isUnknown,
  protectedIn,
  UNKNOWN,
  workedOutOf,
} from './columns.ts';
import { withFrom } from './from-clause.ts';
import { Given, isValue, unnestedArrays } from './given.ts';
import { starred } from './hashed-stars.ts';
import { hashed } from './hashes.ts';
import {
  distinctKeys,
  isDistinct,
  plainOf,
  requireDistinct,
  requireKnown,
  requireNoGroups,
  requireNoOrder,
  requireOrderings,
} from './order.ts';
import { itself, mentions } from './recursion.ts';
import { renamed, Scope } from './relations.ts';
import { requireSameKeys } from './sides.ts';
import { isStarred, requireNoHash, requirePlaces } from './stars.ts';
import { castGiven } from './stored-values.ts';
import { hasValue, isMixed, requireNoValueInRows } from './unlisted.ts';
import { fromElsewhere, tooMany, unsupported } from './unsupported.ts';
import { type Compared, isCompared, isStored, type Targets, type Walk } from './walk.ts';

export function select(own: Walk, query: SelectStmt, outer: Scope, targets: Targets = []): readonly Column[] {
  const scope = withQueries(own, query.withClause, outer);
  if (query.larg && query.rarg) return combined(own, query, query.larg, query.rarg, scope, targets);
  if (query.valuesLists) return values(own, query.valuesLists, scope, targets, query);
  const inside = withFrom(own, query.fromClause, scope);
  own.visit([query.whereClause, query.havingClause, query.windowClause], inside);
  const columns = selected(own, allAs(query.targetList, 'ResTarget'), inside, targets);
  requireNoGroups(own, query.groupClause ?? [], columns, inside);
  requireNoOrder(own, distinctKeys(query), columns, inside);
  if (isDistinct(query)) requireDistinct(columns);
  finish(own, query, columns, inside);
  if (query.intoClause) requireNoCopy(columns, query.intoClause.rel?.relname, inside);
  return columns;
}

/** @param relation that is made, and filled with what the query yields */
export function requireNoCopy(
  columns: readonly Column[],
  relation: string | undefined,
  { database: { tables } }: Scope,
): void {
  const found = protectedIn(columns);
  if (found) throw unsupported('copied', `protected column "${found.name}" is copied to a new table`);
  if (tables.get(relation ?? '')?.encrypted.size) {
    throw unsupported('definition', `the new table has the name of a protected one, "${relation}"`);
  }
}

/** ORDER BY, LIMIT and OFFSET. */
function finish(own: Walk, query: SelectStmt, columns: readonly Column[], scope: Scope): void {
  const keys = allAs(query.sortClause, 'SortBy').flatMap(({ node }) => node ?? []);
  requireOrderings(query.sortClause, scope);
  requireNoOrder(own, keys, columns, scope);
  own.visit([query.limitCount, query.limitOffset], scope);
}

/** Where a query's own names begin: with what its WITH clause names. */
export function withQueries(own: Walk, clause: WithClause | undefined, outer: Scope): Scope {
  const scope = new Scope(outer.database, outer);
  if (clause?.recursive) requireNoForward(allAs(clause.ctes, 'CommonTableExpr'));
  return allAs(clause?.ctes, 'CommonTableExpr').reduce((before, each) => {
    const { ctename = '', ctequery, aliascolnames, search_clause: search, cycle_clause: cycle } = each;
    const inside = clause?.recursive ? before.withQuery(ctename, itself(each, before)) : before;
    const columns = ctequery ? own.query(ctequery, inside) : [];
    if (clause?.recursive && mentions(ctequery, ctename) && protectedIn(columns)) {
      throw unsupported('expression', `the recursive query "${ctename}" yields a protected column`);
    }
    const alias = aliascolnames && { colnames: aliascolnames };
    const known = renamed({ name: ctename, columns }, alias).columns;
    return before.withQuery(ctename, search || cycle ? [...known, ...workedOutOf(known)] : known);
  }, scope);
}

/** With RECURSIVE a query may read those behind it, which would be judged too late. */
function requireNoForward(queries: readonly CommonTableExpr[]): void {
  const later = new Set(queries.map(({ ctename }) => ctename));
  for (const { ctename, ctequery } of queries) {
    later.delete(ctename);
    const found = allOf(ctequery, 'RangeVar').find(({ relname, schemaname }) => !schemaname && later.has(relname));
    if (found)
      throw unsupported(
        'ambiguous-name',
        `"${ctename}" reads "${found.relname}", which WITH RECURSIVE names behind it: name it before`,
      );
  }
}

function combined(
  own: Walk,
  query: SelectStmt,
  larg: SelectStmt,
  rarg: SelectStmt,
  scope: Scope,
  targets: Targets,
): readonly Column[] {
  const [left, right] = [select(own, larg, scope, targets), select(own, rarg, scope, targets)];
  // One is told of, and both are meant.
  areRead([...left, ...right]);
  requireSameHashes(left, right);
  const both = protectedIn(plainOf(left)) ?? protectedIn(plainOf(right)) ?? targets.find(isStored);
  const areCompared = !(query.op === 'SETOP_UNION' && query.all);
  if (areCompared) {
    requireKnown([...left, ...right]);
    requireNoValueInRows(left, right);
  }
  if (both && areCompared) {
    throw unsupported(
      'order',
      `rows with protected column "${both.name}" are compared by UNION, INTERSECT or EXCEPT: use UNION ALL`,
    );
  }
  const isSame =
    left.length === right.length &&
    left.every(({ output, isHash }, index) => isHash || output === right[index]?.output);
  if ((protectedIn(left) ?? protectedIn(right)) && !isSame) {
    throw unsupported('expression', 'UNION ALL puts a protected column and another one into one');
  }
  const columns = left.map((column, index) => ofBoth(column, left, right, index));
  finish(own, query, columns, scope);
  return columns;
}

function requireSameHashes(left: readonly Column[], right: readonly Column[]): void {
  const isOther = ({ isHash }: Column, index: number) => isHash !== right[index]?.isHash;
  const found = left.find(isOther) ?? right.slice(left.length).find(({ isHash }) => isHash);
  if (found) throw unsupported('expression', `UNION puts protected column "${found.name}" and something else into one`);
  for (const [index, { output, isHash }] of left.entries()) {
    const other = right[index]?.output;
    if (isHash && isProtected(output) && other && isProtected(other)) requireSameKeys(output, other);
  }
}

/** A column of UNION, which the left side names. */
function ofBoth(column: Column, left: readonly Column[], right: readonly Column[], index: number): Column {
  if (column.output === 'unknown-star')
    return column.isPlain ? (workedOutOf([...left, ...right])[0] ?? column) : column;
  if (isDoubtful(right, index)) return doubtfulAs(column);
  return isMixed(left, right, index) && !isProtected(column.output)
    ? { name: column.name, output: 'doubtful' }
    : asExpression(column);
}

const isDoubtful = (columns: readonly Column[], index: number) =>
  isUnknown(columns) || ['doubtful', 'unlisted'].some((output) => columns[index]?.output === output);

const asExpression = (column: Column): Column => (column.given ? column : { ...column, isReference: false });

const doubtfulAs = ({ name, output }: Column): Column => ({
  name,
  output: output === 'unprotected' ? 'doubtful' : output,
});

function values(
  own: Walk,
  lists: readonly Node[],
  scope: Scope,
  targets: Targets,
  query: SelectStmt,
): readonly Column[] {
  const rows = allAs(lists, 'List').map(({ items = [] }) => items);
  for (const row of rows) {
    requirePlaces(row, targets);
    if (targets.some(isStored) && row.length > targets.length) throw tooMany();
    for (const [index, value] of row.entries()) {
      const target = targets[index];
      if (isStored(target)) own.store(value, target, scope);
      else if (target?.comparedWith) hashed(own, value, target, scope);
      else own.visit(value, scope);
    }
  }
  const places = (rows[0] ?? []).map((_, index) => {
    const [name, target] = [`column${index + 1}`, targets[index]];
    if (isCompared(target) && target.comparedWith) return { name, output: target.comparedWith, isHash: true as const };
    if (isStored(target)) return { name, output: target };
    return givenColumn(name, new Given({ values: rows.map((row) => row[index]) }));
  });
  const columns = rows.some((row) => row.some(isStarred)) ? UNKNOWN : places;
  finish(own, query, columns, scope);
  return columns;
}

/** The columns of a SELECT list, or of RETURNING. */
export function selected(
  own: Walk,
  list: readonly ResTarget[],
  scope: Scope,
  targets: Targets = [],
): readonly Column[] {
  const columns: Column[] = [];
  for (const { name, val } of list) {
    const star = starOf(own, val, scope);
    const target = targets[columns.length];
    if (star) columns.push(...starred(own, val, star, targets.slice(columns.length), scope));
    else if (isStored(target)) columns.push({ name: name ?? columnName(val), output: stored(own, val, target, scope) });
    else columns.push(comparedOrNot(own, name ?? columnName(val), val, target, scope));
  }
  if (list.some(({ val }) => isStarred(val))) requireAllPlaces(columns, targets);
  requireTargets(columns, targets);
  return columns;
}

/** Fewer columns than there are to be stored may be more in the database. */
function requireAllPlaces(columns: readonly Column[], targets: Targets): void {
  const found = targets.find(isStored);
  if (found && columns.length !== targets.length) throw fromElsewhere(found);
  if (isOpen(columns)) requireNoHash(columns, targets);
}

function comparedOrNot(
  own: Walk,
  name: string | undefined,
  val: Node | undefined,
  target: Compared | undefined,
  scope: Scope,
): Column {
  const column = target && hashed(own, val, target, scope);
  return column ? { ...column, name } : yielded(own, name, val, scope);
}

function yielded(own: Walk, name: string | undefined, val: Node | undefined, scope: Scope): Column {
  const { reference, casts = [] } = castColumn(val) ?? {};
  const { given } = reference ? scope.column(reference) : {};
  const array = unnestedArrays(val);
  if (given) {
    castGiven(own, given, casts);
    return givenColumn(name, given);
  }
  if (isValue(val)) return givenColumn(name, new Given({ values: [val] }));
  if (array?.length !== 1 || !array[0]) {
    const output = own.yieldOf(val, scope);
    const isReference = reference && casts.length === 0 && scope.column(reference).isReference;
    return { name, output, isReference, holdsValue: output === 'unlisted' && hasValue(own, val, scope) };
  }
  own.visit(val, scope);
  return givenColumn(name, new Given({ array: array[0] }));
}

function stored(own: Walk, val: Node | undefined, target: EncryptedColumn, scope: Scope): Output {
  const constant = as(val, 'A_Const');
  if (constant?.isnull) own.draft.takeNull(constant, target);
  else own.store(val, target, scope);
  return target;
}

/** What `*` brings must fit as it is. */
function requireTargets(columns: readonly Column[], targets: Targets): void {
  const any = targets.find(isStored);
  if (!any) return;
  if (columns.length > targets.length) throw tooMany();
  const wrong = targets.find(
    (target, index) => isStored(target) && index < columns.length && columns[index]?.output !== target,
  );
  if (isStored(wrong) || isOpen(columns)) throw fromElsewhere(isStored(wrong) ? wrong : any);
}

function starOf(own: Walk, val: Node | undefined, scope: Scope): readonly Column[] | undefined {
  if (!isStarred(val)) return undefined;
  const reference = as(val, 'ColumnRef');
  if (!reference) own.visit(val, scope);
  return (reference && scope.columnsOf(reference)) ?? UNKNOWN;
}
