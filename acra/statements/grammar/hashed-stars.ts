/**
 * `*` in a query whose rows are compared with a protected column: it becomes the list of its columns, where all are known by names of their
 * own, and the hash takes the place of each that is compared.
 */

import type { Node } from 'libpg-query';
import { identifier } from '../../../postgres/sql-names.ts';
import { as, stringsOf } from '../tree.ts';
import { nameStar } from './by-name.ts';
import { type Column, isOpen, isProtected } from './columns.ts';
import { hashOf } from './hashes.ts';
import type { Scope } from './relations.ts';
import { requireSameKeys, requireSearchable } from './sides.ts';
import { notComparable, starCompared } from './unsupported.ts';
import { isCompared, isStored, type Target, type Targets, type Walk } from './walk.ts';

/** What PostgreSQL calls a value without AS: its type's name, which is another one as soon as it is encrypted. */
const OF_TYPES: readonly string[] = ['?column?', 'text', 'varchar', 'bytea', 'int2', 'int4', 'int8'];

const nameOf = ({ name, given }: Column) => (given && OF_TYPES.includes(name ?? '') ? undefined : name);

const isHashed = ({ output }: Column, target: Target) =>
  isCompared(target) && (target.comparedWith !== undefined || isProtected(output));

const hasHashes = (star: readonly Column[], targets: Targets) =>
  star.some((column, index) => isHashed(column, targets[index]));

/** What stands in the place of one column. @throws Refusal */
function hashedColumn(own: Walk, column: Column, target: Target): Column {
  if (!isHashed(column, target) || !isCompared(target)) return column;
  const { comparedWith: wanted } = target;
  if (wanted && column.given) {
    requireSearchable(wanted);
    own.storeGiven(column.given, wanted);
  }
  const { name, output } = column;
  if (!isProtected(output)) throw wanted ? notComparable(wanted) : starCompared();
  requireSearchable(output);
  if (wanted) requireSameKeys(output, wanted);
  return { ...hashOf(output), name };
}

/** @param val what has the star @param star what it stands for. @throws Refusal where its columns cannot be written by their names */
function hashedStar(own: Walk, val: Node | undefined, star: readonly Column[], targets: Targets): readonly Column[] {
  const reference = as(val, 'ColumnRef');
  const names = star.flatMap((column) => nameOf(column) ?? []);
  const areKnown = !isOpen(star) && names.length === star.length && new Set(names).size === names.length;
  if (!reference || !areKnown) throw starCompared();
  const columns = star.map((column, index) => hashedColumn(own, column, targets[index]));
  const relation = stringsOf(reference.fields).map(identifier);
  const list = columns.map(({ name = '', output, isHash }) => {
    const named = [...relation, identifier(name)].join('.');
    return isHash && isProtected(output) && !output.token ? `substr(${named}, 1, 33)` : named;
  });
  const written = own.draft.starAt(reference);
  if (!written) throw starCompared();
  own.draft.replace(written.start, written.end, list.join(', '));
  return columns;
}

/** What values of the statement are for that `*` stands for. @param val what has it. @throws Refusal */
export function starred(
  own: Walk,
  val: Node | undefined,
  star: readonly Column[],
  targets: Targets,
  scope: Scope,
): readonly Column[] {
  if (hasHashes(star, targets)) return hashedStar(own, val, star, targets);
  const reference = as(val, 'ColumnRef');
  if (reference) nameStar(own.draft, reference, scope);
  return star.map((column, index) => {
    const target = targets[index];
    if (isStored(target) && column.given) own.storeGiven(column.given, target);
    return column;
  });
}
