/**
 * Tables whose columns have no known places for a while (decision 21): `*`, and rows without names, are given the names that the
 * configuration has, in its order.
 */

import type { ColumnRef, InsertStmt } from 'libpg-query';
import { identifier } from '../../../postgres/sql-names.ts';
import type { Draft } from '../draft.ts';
import { stringsOf } from '../tree.ts';
import { type Column, isByName, shownOf } from './columns.ts';
import type { Relation, Scope } from './relations.ts';
import { byPlace } from './unsupported.ts';

const namesOf = (columns: readonly Column[]) => shownOf(columns).map(({ name = '' }) => identifier(name));

/** Plans to write names in the place of `*`, or of `relation.*`, where it stands for such a table. @throws Refusal where that cannot be told */
export function nameStar(draft: Draft, reference: ColumnRef, scope: Scope): void {
  const qualifier = stringsOf(reference.fields).at(-1);
  const own = qualifier === undefined ? scope.relations.filter(({ isAside }) => !isAside) : [scope.named(qualifier)];
  const relations = own.flatMap((relation) => relation ?? []);
  const found = relations.find(({ columns }) => isByName(columns));
  if (!found) return;
  const star = draft.starAt(reference);
  if (!star || !isWhole(relations, qualifier, scope)) throw byPlace(found.name ?? '');
  const before = qualifier === undefined ? undefined : star.before;
  draft.replace(star.start, star.end, relations.flatMap((relation) => shown(relation, before)).join(', '));
}

/** A join by USING has some columns once, and puts them first. */
function isWhole(relations: readonly Relation[], qualifier: string | undefined, { star }: Scope): boolean {
  const isKnown = relations.every(({ columns }) => !isByName(columns) || areNamed(shownOf(columns)));
  if (qualifier !== undefined || !isKnown) return isKnown;
  const all = relations.flatMap(({ columns }) => shownOf(columns));
  const isEach = all.length === star.length && all.every((column, index) => column === star[index]);
  return isEach && relations.every(({ name }) => name !== undefined);
}

/** Each by a name of its own: a join that has a name has the columns of both sides. */
function areNamed(columns: readonly Column[]): boolean {
  const names = new Set(columns.map(({ name }) => name));
  return names.size === columns.length && !names.has(undefined);
}

function shown({ name = '', columns }: Relation, before = `${identifier(name)}.`): string[] {
  return isByName(columns) ? namesOf(columns).map((column) => `${before}${column}`) : [`${before}*`];
}

/** The same for INSERT without columns. */
export function nameRow(draft: Draft, { relation, cols, selectStmt }: InsertStmt, { columns }: Relation): void {
  if (!cols && selectStmt && relation && isByName(columns))
    draft.nameColumns(
      relation,
      shownOf(columns).flatMap(({ name }) => name ?? []),
    );
}
