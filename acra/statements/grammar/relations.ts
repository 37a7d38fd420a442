/**
 * Which protected column a name in a query means, by PostgreSQL's rules of visibility: the relations of the innermost query first, then
 * those of the queries around it. Of relations that are not configured nobody knows the columns; where a name could mean one of theirs
 * or a protected one, it is refused, not guessed.
 */
import type { Alias, ColumnRef, Node, RangeVar } from 'libpg-query';
import type { EncryptedColumn, EncryptedTable } from '../../encryptor-config/schema.ts';
import type { Output } from '../outputs.ts';
import type { Tables } from '../scope.ts';
import { stringsOf } from '../tree.ts';
import { missing, unsupported } from './unsupported.ts';

/** A column of a relation, or of what a query yields. The name is undefined where it is not known, and of `unknown-star`. */
export interface Column {
  readonly name: string | undefined;
  readonly output: Output;
  /** The array that its values are the elements of. */
  readonly array?: Node;
}

export interface Relation {
  /** Undefined: its columns are known by their own names alone. */
  readonly name: string | undefined;
  /** In order. */
  readonly columns: readonly Column[];
  /** Found only with its name in front: `excluded`, `old`, `new`. */
  readonly isAside?: boolean;
}

/** A relation that is not configured. */
export const UNKNOWN: readonly Column[] = [{ name: undefined, output: 'unknown-star' }];

const PLAIN: Column = { name: undefined, output: 'unprotected' };

export const isProtected = (output: Output): output is EncryptedColumn => typeof output === 'object';

export const protectedIn = (columns: readonly Column[]): EncryptedColumn | undefined =>
  columns.map(({ output }) => output).find(isProtected);

export const isOpen = (columns: readonly Column[]) => columns.some(({ output }) => output === 'unknown-star');

function columnsOf(table: EncryptedTable): Column[] {
  return table.columns.map((name) => ({ name, output: table.encrypted.get(name) ?? 'unprotected' }));
}

/** What one query's names may mean. */
export class Scope {
  readonly tables: Tables;
  readonly relations: readonly Relation[];
  /** What `*` stands for. */
  readonly star: readonly Column[];
  readonly outer: Scope | undefined;
  readonly #queries: ReadonlyMap<string, readonly Column[]>;

  constructor(
    tables: Tables,
    outer?: Scope,
    { relations = [], star = [], queries = new Map() }: Partial<ScopeParts> = {},
  ) {
    this.tables = tables;
    this.outer = outer;
    this.relations = relations;
    this.star = star;
    this.#queries = queries;
  }

  /** The same place, with more relations. */
  with(relations: readonly Relation[], star: readonly Column[] = []): Scope {
    const parts = {
      relations: [...this.relations, ...relations],
      star: [...this.star, ...star],
      queries: this.#queries,
    };
    return new Scope(this.tables, this.outer, parts);
  }

  /** The same place, with a query of WITH. */
  withQuery(name: string, columns: readonly Column[]): Scope {
    const { relations, star } = this;
    return new Scope(this.tables, this.outer, { relations, star, queries: new Map(this.#queries).set(name, columns) });
  }

  /** What a query of a WITH clause yields. */
  query(name: string): readonly Column[] | undefined {
    return this.#queries.get(name) ?? this.outer?.query(name);
  }

  /** A relation that FROM or a write names. */
  relation({ relname = '', schemaname, alias }: RangeVar): Relation {
    const table = this.tables.get(relname);
    const columns = (schemaname ? undefined : this.query(relname)) ?? (table ? columnsOf(table) : UNKNOWN);
    return renamed({ name: relname, columns }, alias);
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
    return qualifier === undefined ? this.#find(name) : this.#findIn(qualifier, name);
  }

  /** The relation of that name, the innermost first. */
  named(name: string): Relation | undefined {
    return this.relations.find((relation) => relation.name === name) ?? this.outer?.named(name);
  }

  #findIn(qualifier: string, name: string): Column {
    const relation = this.named(qualifier);
    if (!relation && this.#isOfSomeTable(name)) throw missing(`${qualifier}.${name}`);
    return (relation && columnNamed(relation, name)) ?? PLAIN;
  }

  #isOfSomeTable(name: string): boolean {
    return this.tables.values().some(({ encrypted }) => encrypted.has(name));
  }

  /** @param isAny whether it may be a column of a relation further inside that nobody knows */
  #find(name: string, isAny = false): Column {
    const visible = this.relations.filter(({ isAside }) => !isAside);
    const found = visible.flatMap((relation) => columnNamed(relation, name) ?? []);
    const [first] = found;
    if (first !== undefined) return found.find(({ output }) => isProtected(output)) ?? first;
    const whole = this.relations.find((relation) => relation.name === name && protectedIn(relation.columns));
    if (whole) throw unsupported(`"${name}" stands for a whole row with protected columns: name its columns`);
    const isHere = visible.some(({ columns }) => isOpen(columns));
    if (!this.outer && !isAny && !isHere && this.#isOfSomeTable(name)) throw missing(name);
    const outer = this.outer ? this.outer.#find(name, isAny || isHere) : PLAIN;
    if (isProtected(outer.output) && isHere) {
      throw unsupported(
        `"${name}" may be a protected column or one of another table: write the table's name before it`,
      );
    }
    return outer;
  }
}

interface ScopeParts {
  readonly relations: readonly Relation[];
  readonly star: readonly Column[];
  readonly queries: ReadonlyMap<string, readonly Column[]>;
}

function columnNamed({ columns }: Relation, name: string): Column | undefined {
  const found = columns.filter((column) => column.name === name);
  const [first] = found;
  if (first) return found.find(({ output }) => isProtected(output)) ?? first;
  const isNameless = columns.some((column) => column.name === undefined && isProtected(column.output));
  if (isNameless) throw unsupported('a protected column has no name in a sub-select: give it one with AS');
  return undefined;
}

/** @param alias AS name (names of columns) */
export function renamed({ name, columns, ...others }: Relation, alias: Alias | undefined): Relation {
  const names = stringsOf(alias?.colnames);
  if (names.length > 0 && isOpen(columns) && protectedIn(columns)) {
    throw unsupported('columns get other names, and not all of them are known');
  }
  const own = columns.map((column, index) => ({ ...column, name: names[index] ?? column.name }));
  const isUnknown = isOpen(columns);
  return { ...others, name: alias?.aliasname ?? name, columns: isUnknown ? columns : own };
}
