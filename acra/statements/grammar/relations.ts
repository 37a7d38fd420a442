/**
 * Which protected column a name in a query means, by PostgreSQL's rules of visibility: the relations of the innermost query first, then
 * those of the queries around it. Of relations that are not configured nobody knows the columns; where a name could mean one of theirs
 * or a protected one, it is refused, not guessed.
 */
import type { Alias, ColumnRef, RangeVar } from 'libpg-query';
import type { Output } from '../outputs.ts';
import type { Tables } from '../scope.ts';
import { stringsOf } from '../tree.ts';
import { Chain } from './chain.ts';
import {
  areHidden,
  areRead,
  type Column,
  columnsOf,
  isByName,
  isOpen,
  isProtected,
  isUnknown,
  isUnlisted,
  mayHoldValue,
  named,
  PLAIN_TABLE,
  protectedIn,
  shownOf,
  UNKNOWN,
  workedOutOf,
} from './columns.ts';
import type { Receivers } from './receivers.ts';
import { byPlace, missing, unsupported } from './unsupported.ts';
import { isOfRow } from './whole-rows.ts';

export interface Relation {
  /** Undefined: its columns are known by their own names alone. */
  readonly name: string | undefined;
  /** In order. */
  readonly columns: readonly Column[];
  /** Found only with its name in front: `excluded`, `old`, `new`. */
  readonly isAside?: boolean;
  /** Of a query, or put together by a join: it may have values of the statement. */
  readonly isDerived?: boolean;
  /** A relation of the database under its own name: only before that one a schema may stand. */
  readonly isTable?: boolean;
}

/** What is known of the database. */
export interface Database {
  readonly tables: Tables;
  readonly receivers: Receivers;
  /** See the policy's list. */
  readonly uniqueSearches: readonly string[];
}

/** Behind other names of columns nothing is known any more. */
const unknownAs = (alias: Alias | undefined): readonly Column[] => [
  ...stringsOf(alias?.colnames).map((name): Column => ({ name, output: 'doubtful' })),
  ...UNKNOWN,
];

const PLAIN: Column = { name: undefined, output: 'unprotected', isReference: true };
const UNLISTED: Column = { name: undefined, output: 'unlisted', isReference: true };
const VALUE: Column = { name: undefined, output: 'unprotected', holdsValue: true };
const UNLISTED_VALUE: Column = { name: undefined, output: 'unlisted', holdsValue: true };
const DOUBTFUL: Column = { name: undefined, output: 'doubtful', isReference: true };
const DOUBTFUL_ROW: Column = { ...DOUBTFUL, isRow: true };

interface ScopeParts {
  readonly relations: Chain<Relation>;
  readonly star: Chain<Column>;
  readonly queries: Chain<Pick<Relation, 'name' | 'columns'>>;
}

const NOTHING: ScopeParts = { relations: new Chain(), star: new Chain(), queries: new Chain() };

/** What one query's names may mean. */
export class Scope {
  readonly database: Database;
  readonly outer: Scope | undefined;
  readonly #parts: ScopeParts;

  constructor(database: Database, outer?: Scope, parts: ScopeParts = NOTHING) {
    this.database = database;
    this.outer = outer;
    this.#parts = parts;
  }

  get relations(): readonly Relation[] {
    return this.#parts.relations.all;
  }

  /** What `*` stands for. */
  get star(): readonly Column[] {
    return shownOf(this.#parts.star.all);
  }

  /** The same place, with more relations. */
  with(relations: readonly Relation[], star: readonly Column[] = []): Scope {
    const { relations: own, star: ownStar, queries } = this.#parts;
    return new Scope(this.database, this.outer, { relations: own.with(relations), star: ownStar.with(star), queries });
  }

  /** The same place, before it has relations: what is written is not seen in FROM either. */
  bare(): Scope {
    return new Scope(this.database, this.outer, { ...NOTHING, queries: this.#parts.queries });
  }

  /** The same place, with a query of WITH. */
  withQuery(name: string, columns: readonly Column[]): Scope {
    const queries = this.#parts.queries.with([{ name, columns }]);
    return new Scope(this.database, this.outer, { ...this.#parts, queries });
  }

  /** What a query of a WITH clause yields. */
  query(name: string): readonly Column[] | undefined {
    return this.#parts.queries.findLast((each) => each.name === name)?.columns ?? this.outer?.query(name);
  }

  /** A relation that FROM or a write names. */
  relation(relation: RangeVar): Relation {
    const { relname = '', schemaname, alias } = relation;
    const query = schemaname ? undefined : this.query(relname);
    const table = this.database.tables.get(relname);
    const isPlain = this.database.receivers.isPlain(relation);
    const columns = table ? columnsOf(table) : isPlain ? PLAIN_TABLE : unknownAs(alias);
    const isDerived = query !== undefined;
    const isTable = !isDerived && alias === undefined;
    return renamed({ name: relname, columns: query ?? columns, isDerived, isTable }, alias);
  }

  /** What one name yields. @throws Refusal where it may be a protected column or not, or means a whole row with one */
  find(reference: ColumnRef): Output {
    return this.column(reference).output;
  }

  /** The same with what else is known of it. */
  column({ fields = [] }: ColumnRef): Column {
    const names = stringsOf(fields);
    const name = names.at(-1) ?? '';
    const qualifier = names.at(-2);
    return qualifier === undefined ? this.#find(name) : this.#findIn(qualifier, name, names.length > 2);
  }

  /** What `*` stands for, or `relation.*`; undefined where there is no such relation. */
  columnsOf({ fields = [] }: ColumnRef): readonly Column[] | undefined {
    const names = stringsOf(fields);
    const relation = names.at(-1);
    const columns = relation === undefined ? this.star : this.named(relation, names.length > 1)?.columns;
    return columns && shownOf(columns);
  }

  /** Whether a relation of the query itself has a column of that name. */
  hasColumn(name: string): 'surely' | 'perhaps' | 'none' {
    const columns = this.relations.flatMap((each) => (each.isAside ? [] : each.columns));
    if (columns.some((column) => column.name === name)) return 'surely';
    return isOpen(columns) ? 'perhaps' : 'none';
  }

  /** The relation of that name, the innermost first. @param hasSchema whether one stands before it */
  named(name: string, hasSchema = false): Relation | undefined {
    const own = this.relations.find((each) => each.name === name && (!hasSchema || each.isTable));
    return own ?? this.outer?.named(name, hasSchema);
  }

  #findIn(qualifier: string, name: string, hasSchema: boolean): Column {
    const relation = this.named(qualifier, hasSchema);
    const found = relation && columnNamed(relation, name);
    if (found) return found;
    // Of a query with no such column PostgreSQL takes it for a function, and gives it the whole row.
    const isFunction = relation?.isDerived && !isOpen(relation.columns);
    if (isFunction || (!relation && this.isOfSomeTable(name))) throw missing(`${qualifier}.${name}`);
    if (!relation) return PLAIN;
    const isRow =
      isOfRow(isOpen(relation.columns), name) && wholeRow(`${qualifier}.${name}`, relation.columns) === 'doubtful';
    return isRow ? DOUBTFUL : this.#other([relation], name);
  }

  /** A name that is none of the columns that are known. */
  #other(relations: readonly Relation[], name: string): Column {
    if (relations.some(({ columns }) => this.isDoubtful(columns, name))) return DOUBTFUL;
    const stars = relations.flatMap(({ columns }) => columns).filter(({ output }) => output === 'unknown-star');
    const isOfUnlisted = stars.some(isUnlisted);
    if (stars.some(mayHoldValue)) return isOfUnlisted ? UNLISTED_VALUE : VALUE;
    return isOfUnlisted ? UNLISTED : PLAIN;
  }

  /** Whether what is called so there may be a protected column of a relation that nobody knows. */
  isDoubtful(columns: readonly Column[], name: string): boolean {
    const own = columns.find((column) => column.name === name);
    return own ? own.output === 'doubtful' : isUnknown(columns) && this.isOfSomeTable(name);
  }

  /** Whether a relation that nobody knows is among those that can be named here. */
  hasUnlisted(): boolean {
    const isSeen = this.relations.some(({ columns }) => columns.some(isUnlisted));
    return isSeen || this.outer?.hasUnlisted() === true;
  }

  /** Whether a protected column is called so. */
  isOfSomeTable(name: string): boolean {
    return this.database.tables.values().some(({ encrypted }) => encrypted.has(name));
  }

  /** @param isAny whether it may be a column of a relation further inside that nobody knows */
  #find(name: string, isAny = false): Column {
    const visible = this.relations.filter(({ isAside }) => !isAside);
    const found = visible.flatMap((relation) => columnNamed(relation, name) ?? []);
    const [first] = found;
    if (first !== undefined) return found.find(({ output }) => isProtected(output)) ?? first;
    const whole = this.relations.find((relation) => relation.name === name);
    if (whole && wholeRow(name, whole.columns) === 'doubtful') return DOUBTFUL_ROW;
    const isHere = visible.some(({ columns }) => isOpen(columns));
    if (!this.outer && !isAny && !isHere && this.isOfSomeTable(name)) throw missing(name);
    const own = this.#other(visible, name);
    if (own === DOUBTFUL) return own;
    const outer = this.outer ? this.outer.#find(name, isAny || isHere) : PLAIN;
    if (isProtected(outer.output) && isHere) {
      throw unsupported(
        'ambiguous-name',
        `"${name}" may be a protected column or one of another table: write the table's name before it`,
      );
    }
    return eitherOf(own, outer);
  }
}

/** A name that is none of the columns that are known, here or further out. */
function eitherOf(own: Column, outer: Column): Column {
  if (outer === PLAIN) return own;
  const isOfUnlisted = own.output === 'unlisted' || outer.output === 'unlisted';
  return isOfUnlisted && (own.holdsValue || outer.holdsValue) ? UNLISTED_VALUE : outer;
}

function columnNamed({ columns }: Relation, name: string): Column | undefined {
  const found = columns.filter((column) => column.name === name);
  const [first] = found;
  if (first) return found.find(({ output }) => isProtected(output)) ?? first;
  const isNameless = columns.some((column) => column.name === undefined && isProtected(column.output));
  if (isNameless)
    throw unsupported('ambiguous-name', 'a protected column has no name in a sub-select: give it one with AS');
  return undefined;
}

/** What a whole row yields. @throws Refusal where a protected column is in it */
function wholeRow(name: string, columns: readonly Column[]): Output {
  areRead(columns);
  if (protectedIn(columns))
    throw unsupported('expression', `"${name}" stands for a whole row with protected columns: name its columns`);
  return areHidden(columns) ? 'doubtful' : 'unprotected';
}

/** @param alias AS name (names of columns) */
export function renamed({ name, columns, ...others }: Relation, alias: Alias | undefined): Relation {
  const names = stringsOf(alias?.colnames);
  if (names.length > 0 && isOpen(columns) && protectedIn(columns)) {
    throw unsupported('ambiguous-name', 'columns get other names, and not all of them are known');
  }
  const relation = { ...others, name: alias?.aliasname ?? name };
  if (names.length > 0 && isByName(columns)) throw byPlace(name ?? '');
  if (!isOpen(columns) || names.length === 0)
    return { ...relation, columns: columns.map((column, index) => named(names[index] ?? column.name, column)) };
  areRead(columns);
  const isPlain = !areHidden(columns) && columns.every(({ output }) => output !== 'unlisted');
  return { ...relation, columns: isPlain ? workedOutOf(columns) : unknownAs(alias) };
}
