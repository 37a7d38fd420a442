/** SELECT, VALUES, UNION and WITH: what their columns yield, and what of it is stored where a write takes its rows from them. */
import type { Node, ResTarget, SelectStmt, WithClause } from 'libpg-query';
import type { Output } from '../outputs.ts';
import { allAs, allOf, as, stringsOf } from '../tree.ts';
import { withFrom } from './from-clause.ts';
import { Given, isValue, unnestedArrays } from './given.ts';
import {
  areRead,
  type Column,
  givenColumn,
  isOpen,
  isProtected,
  isUnknown,
  PLAIN_TABLE,
  protectedIn,
  renamed,
  Scope,
  UNKNOWN,
} from './relations.ts';
import { isStarred, requirePlaces } from './stars.ts';
import { fromElsewhere, tooMany, unsupported } from './unsupported.ts';
import type { Targets, Walk } from './walk.ts';

export function select(own: Walk, query: SelectStmt, outer: Scope, targets: Targets = []): readonly Column[] {
  const scope = withQueries(own, query.withClause, outer);
  if (query.larg && query.rarg) return combined(own, query, query.larg, query.rarg, scope, targets);
  if (query.valuesLists) return values(own, query.valuesLists, scope, targets, query);
  const inside = withFrom(own, query.fromClause, scope);
  own.visit([query.whereClause, query.havingClause, query.windowClause], inside);
  const columns = selected(own, allAs(query.targetList, 'ResTarget'), inside, targets);
  requireNoOrder(own, [...(query.groupClause ?? []), ...distinctKeys(query)], columns, inside);
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
  requireNoOrder(own, keys, columns, scope);
  own.visit([query.limitCount, query.limitOffset], scope);
}

/** Where a query's own names begin: with what its WITH clause names. */
export function withQueries(own: Walk, clause: WithClause | undefined, outer: Scope): Scope {
  const scope = new Scope(outer.database, outer);
  return allAs(clause?.ctes, 'CommonTableExpr').reduce((before, each) => {
    const { ctename = '', ctequery, aliascolnames, search_clause: search, cycle_clause: cycle } = each;
    const inside = clause?.recursive ? before.withQuery(ctename, itself(ctequery, ctename, outer)) : before;
    const columns = ctequery ? own.query(ctequery, inside) : [];
    if (clause?.recursive && mentions(ctequery, ctename) && protectedIn(columns)) {
      throw unsupported('expression', `the recursive query "${ctename}" yields a protected column`);
    }
    const alias = aliascolnames && { colnames: aliascolnames };
    const known = renamed({ name: ctename, columns }, alias).columns;
    return before.withQuery(ctename, search || cycle ? [...known, ...PLAIN_TABLE] : known);
  }, scope);
}

/** What a recursive query is within itself: its columns are those of the relations in it. */
function itself(query: Node | undefined, name: string, { database: { tables, receivers } }: Scope): readonly Column[] {
  const isKnown =
    allOf(query, 'RangeVar').every(
      (each) => each.relname === name || tables.has(each.relname ?? '') || receivers.isPlain(each),
    ) && allOf(allOf(query, 'RangeFunction'), 'FuncCall').every((call) => receivers.isPlainFunction(call));
  return isKnown ? PLAIN_TABLE : UNKNOWN;
}

const mentions = (tree: Node | undefined, name: string) =>
  JSON.stringify(tree ?? {}).includes(`"relname":${JSON.stringify(name)}`);

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
  const both = protectedIn(left) ?? protectedIn(right) ?? targets.find((target) => target);
  if (both && !(query.op === 'SETOP_UNION' && query.all)) {
    throw unsupported(
      'order',
      `rows with protected column "${both.name}" are compared by UNION, INTERSECT or EXCEPT: use UNION ALL`,
    );
  }
  const isSame = left.length === right.length && left.every(({ output }, index) => output === right[index]?.output);
  if ((protectedIn(left) ?? protectedIn(right)) && !isSame) {
    throw unsupported('expression', 'UNION ALL puts a protected column and another one into one');
  }
  const columns = left.map((column, index) => (isDoubtful(right, index) ? doubtfulAs(column) : asExpression(column)));
  finish(own, query, columns, scope);
  return columns;
}

const isDoubtful = (columns: readonly Column[], index: number) =>
  isUnknown(columns) || columns[index]?.output === 'doubtful';

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
    if (targets.length > 0 && row.length > targets.length) throw tooMany();
    for (const [index, value] of row.entries()) {
      const target = targets[index];
      if (target) own.store(value, target, scope);
      else own.visit(value, scope);
    }
  }
  const places = (rows[0] ?? []).map((_, index) =>
    givenColumn(`column${index + 1}`, new Given({ values: rows.map((row) => row[index]) })),
  );
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
    if (star) columns.push(...storedStar(own, star, targets.slice(columns.length)));
    else if (target) columns.push({ name, output: stored(own, val, target, scope) });
    else columns.push(yielded(own, name ?? nameOf(val), val, scope));
  }
  if (list.some(({ val }) => isStarred(val))) requireAllPlaces(columns, targets);
  requireTargets(columns, targets);
  return columns;
}

/** Fewer columns than there are to be stored may be more in the database. */
function requireAllPlaces(columns: readonly Column[], targets: Targets): void {
  const found = targets.find((target) => target);
  if (found && columns.length !== targets.length) throw fromElsewhere(found);
}

function yielded(own: Walk, name: string | undefined, val: Node | undefined, scope: Scope): Column {
  const reference = as(val, 'ColumnRef');
  const { given } = reference ? scope.column(reference) : {};
  const array = unnestedArrays(val);
  if (given) return givenColumn(name, given);
  if (isValue(val)) return givenColumn(name, new Given({ values: [val] }));
  if (array?.length !== 1 || !array[0]) {
    const output = own.yieldOf(val, scope);
    return { name, output, isReference: reference && scope.column(reference).isReference };
  }
  own.visit(val, scope);
  return givenColumn(name, new Given({ array: array[0] }));
}

/** What values of the statement are for. */
function storedStar(own: Walk, star: readonly Column[], targets: Targets): readonly Column[] {
  return star.map((column, index) => {
    const target = targets[index];
    if (target && column.given) own.storeGiven(column.given, target);
    return column;
  });
}

function stored(own: Walk, val: Node | undefined, target: NonNullable<Targets[number]>, scope: Scope): Output {
  own.store(val, target, scope);
  return target;
}

/** What `*` brings must fit as it is. */
function requireTargets(columns: readonly Column[], targets: Targets): void {
  const any = targets.find((target) => target);
  if (!any) return;
  if (columns.length > targets.length) throw tooMany();
  const wrong = targets.find((target, index) => target && index < columns.length && columns[index]?.output !== target);
  if (wrong || isOpen(columns)) throw fromElsewhere(wrong ?? any);
}

function starOf(own: Walk, val: Node | undefined, scope: Scope): readonly Column[] | undefined {
  if (!isStarred(val)) return undefined;
  const reference = as(val, 'ColumnRef');
  if (!reference) own.visit(val, scope);
  const qualifier = stringsOf(reference?.fields ?? [NO_RELATION]).at(-1);
  if (qualifier === undefined) return scope.star;
  return scope.named(qualifier)?.columns ?? UNKNOWN;
}

/** As PostgreSQL names a result column (FigureColname), as far as a protected one may stand there. */
function nameOf(val: Node | undefined): string | undefined {
  const [reference, cast, link] = [as(val, 'ColumnRef'), as(val, 'TypeCast'), as(val, 'SubLink')];
  if (reference) return stringsOf(reference.fields).at(-1);
  if (cast) return nameOf(cast.arg);
  if (as(val, 'CoalesceExpr')) return 'coalesce';
  const [first] = allAs(as(link?.subselect, 'SelectStmt')?.targetList, 'ResTarget');
  return first ? (first.name ?? nameOf(first.val)) : undefined;
}

const NO_RELATION: Node = { String: { sval: '' } };

const isDistinct = ({ distinctClause: [first] = [] }: SelectStmt) =>
  first !== undefined && Object.keys(first).length === 0;

const distinctKeys = (query: SelectStmt): readonly Node[] => (isDistinct(query) ? [] : (query.distinctClause ?? []));

function requireDistinct(columns: readonly Column[]): void {
  areRead(columns);
  const found = protectedIn(columns);
  if (found)
    throw unsupported(
      'order',
      `DISTINCT compares protected column "${found.name}": equal values have different ciphertexts`,
    );
}

/** Keys of ORDER BY, GROUP BY and DISTINCT ON: expressions, or places or names of results. */
function requireNoOrder(own: Walk, keys: readonly Node[], columns: readonly Column[], scope: Scope): void {
  for (const key of keys) {
    const place = as(key, 'A_Const')?.ival?.ival;
    const fields = as(key, 'ColumnRef')?.fields ?? [];
    const [name] = fields.length === 1 ? stringsOf(fields) : [];
    const meant = columns.filter(
      (column, index) => index + 1 === place || (name !== undefined && column.name === name),
    );
    areRead(meant);
    const found = meant.map(({ output }) => output).find(isProtected);
    if (found) {
      throw unsupported(
        'order',
        `rows are ordered or grouped by protected column "${found.name}", of which the database has ciphertext`,
      );
    }
    if (meant.length === 0) own.visit(key, scope);
  }
}
