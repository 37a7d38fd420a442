/** What FROM and USING name: which relations there are, and what `*` stands for. */
import type { JoinExpr, Node } from 'libpg-query';
import { allOf, as, stringsOf } from '../tree.ts';
import { columnName } from './column-names.ts';
import {
  areRead,
  type Column,
  givenColumn,
  isOpen,
  isProtected,
  isUnknown,
  isUnlisted,
  mayHoldValue,
  UNKNOWN,
} from './columns.ts';
import { Given, unnestedArrays } from './given.ts';
import { type Relation, renamed, type Scope } from './relations.ts';
import { requireNoValueInJoin, workedOutIn } from './unlisted.ts';
import { doubtful, unsupported } from './unsupported.ts';
import type { Walk } from './walk.ts';

interface From {
  readonly relations: readonly Relation[];
  readonly star: readonly Column[];
}

/** @param scope of the query so far; what stands further left may be named by functions and LATERAL. @returns with what FROM adds */
export function withFrom(own: Walk, items: readonly Node[] | undefined, scope: Scope): Scope {
  const before = scope.bare();
  return (items ?? []).reduce((sofar, item) => {
    const { relations, star } = fromItem(own, item, sofar, before);
    return sofar.with(relations, star);
  }, scope);
}

/** @param beside what stands further left: only functions and LATERAL see it @param before the query without its FROM */
function fromItem(own: Walk, item: Node, beside: Scope, before: Scope): From {
  const [table, join, query] = [as(item, 'RangeVar'), as(item, 'JoinExpr'), as(item, 'RangeSubselect')];
  if (table) return alone(beside.relation(table));
  if (join) return joined(own, join, beside, before);
  if (query?.subquery) {
    const columns = own.query(query.subquery, query.lateral ? beside : before);
    return alone(renamed({ name: undefined, columns, isDerived: true }, query.alias));
  }
  const sample = as(item, 'RangeTableSample');
  if (sample?.relation) {
    own.visit([sample.args, sample.repeatable], before);
    return fromItem(own, sample.relation, beside, before);
  }
  // A function in its several forms.
  own.visit(item, beside);
  const { alias } = Object.values(item)[0] as { alias?: Parameters<typeof renamed>[1] };
  const isPlain = allOf(item, 'FuncCall').every((call) => beside.database.receivers.isPlainFunction(call));
  const columns = unnested(item) ?? (isPlain ? workedOutIn(own, item, beside) : UNKNOWN);
  return alone(renamed({ name: nameOfFunctions(item), columns, isDerived: true }, alias));
}

/** What PostgreSQL calls functions in FROM that have no alias. */
function nameOfFunctions(item: Node): string | undefined {
  if (as(item, 'RangeTableFunc')) return 'xmltable';
  if (as(item, 'JsonTable')) return 'json_table';
  const [first] = as(item, 'RangeFunction')?.functions ?? [];
  return columnName(as(first, 'List')?.items?.[0]);
}

/** A column for each array of unnest(…), in ROWS FROM too, and behind these the number of the row. */
function unnested(item: Node): Column[] | undefined {
  const { functions = [], alias, ordinality } = as(item, 'RangeFunction') ?? {};
  const all = functions.map((each) => unnestedArrays(as(each, 'List')?.items?.[0]));
  const arrays = all.flatMap((each) => each ?? []);
  if (arrays.length === 0 || all.includes(undefined)) return undefined;
  const name = (arrays.length === 1 ? alias?.aliasname : undefined) ?? 'unnest';
  const columns = arrays.map((array) => givenColumn(name, new Given({ array })));
  return ordinality ? [...columns, ORDINALITY] : columns;
}

/** It has no value of the statement. */
const ORDINALITY: Column = { name: 'ordinality', output: 'unprotected', isReference: true };

const alone = (relation: Relation): From => ({ relations: [relation], star: relation.columns });

function joined(own: Walk, join: JoinExpr, beside: Scope, before: Scope): From {
  const [larg, rarg] = [join.larg, join.rarg];
  const left = larg ? fromItem(own, larg, beside, before) : { relations: [], star: [] };
  const right = rarg
    ? fromItem(own, rarg, beside.with(left.relations, left.star), before)
    : { relations: [], star: [] };
  const shared = stringsOf(join.usingClause);
  requireComparable(join, shared, [left.star, right.star], before);
  const inside = [...left.relations, ...right.relations];
  own.visit(join.quals, before.with(inside, [...left.star, ...right.star]));
  const star = join.isNatural ? naturally(left.star, right.star) : merged(left.star, right.star, shared);
  if (join.alias) return alone(renamed({ name: undefined, columns: star, isDerived: true }, join.alias));
  const { join_using_alias: usingAlias } = join;
  const columns = sharedColumns(left.star, right.star, shared);
  const ofUsing = usingAlias ? [renamed({ name: undefined, columns, isAside: true }, usingAlias)] : [];
  return { relations: [...inside, ...ofUsing], star };
}

/** USING and NATURAL compare columns that the statement does not show. */
function requireComparable(
  { isNatural }: JoinExpr,
  shared: readonly string[],
  sides: readonly (readonly Column[])[],
  scope: Scope,
): void {
  const columns = sides.flat();
  const compared = columns.filter(({ name }) => isNatural || shared.includes(name ?? ''));
  areRead(compared);
  const found = compared.find(({ output }) => isProtected(output));
  if (found)
    throw unsupported(
      'comparison',
      `protected column "${found.name}" is compared by NATURAL or USING: join ON its name`,
    );
  if (isNatural && sides.every(isOpen) && isUnknown(columns)) throw doubtful('*');
  const names = isNatural ? columns.flatMap(({ name }) => name ?? []) : shared;
  const unknown = names.find((name) => sides.some((side) => scope.isDoubtful(side, name)));
  if (unknown !== undefined) throw doubtful(unknown);
  requireNoValueInJoin(names, sides);
}

/** Where not all columns are known, nobody knows how many there are, nor which come first. */
function naturally(left: readonly Column[], right: readonly Column[]): readonly Column[] {
  const star = [...left, ...right].filter(({ output }) => output === 'unknown-star');
  if (star.length > 0) return [...star, ...left, ...right, ...star];
  const names = left.flatMap(({ name }) => name ?? []);
  return merged(
    left,
    right,
    names.filter((name) => right.some((column) => column.name === name)),
  );
}

/** Columns of USING come first, once. */
function merged(left: readonly Column[], right: readonly Column[], shared: readonly string[]): readonly Column[] {
  const isOther = ({ name }: Column) => name === undefined || !shared.includes(name);
  return [...sharedColumns(left, right, shared), ...left.filter(isOther), ...right.filter(isOther)];
}

/** Those of USING have what either side has. */
function sharedColumns(left: readonly Column[], right: readonly Column[], shared: readonly string[]): Column[] {
  return shared.map((name) => {
    const columns = [left, right].flatMap(
      (side) => side.find((column) => column.name === name) ?? side.filter(({ output }) => output === 'unknown-star'),
    );
    const holdsValue = columns.some(mayHoldValue);
    return {
      name,
      output: columns.some(isUnlisted) ? 'unlisted' : 'unprotected',
      isReference: !holdsValue,
      holdsValue,
    };
  });
}
