/** Which protected columns the names in a statement mean. */
import type { ColumnRef, Node, RangeVar } from 'libpg-query';
import type { EncryptedColumn, EncryptedTable } from '../encryptor-config/schema.ts';
import { Refusal } from './refusal.ts';
import { as, stringsOf } from './tree.ts';

export type Tables = ReadonlyMap<string, EncryptedTable>;

/** A table of a FROM clause or the target of a write; table undefined: not protected, or no table at all. */
export interface Source {
  readonly name: string | undefined;
  readonly table: EncryptedTable | undefined;
}

export function sourceOf(tables: Tables, { relname = '', alias }: RangeVar): Source {
  const table = tables.get(relname);
  if (table && alias?.colnames) throw new Refusal('acra-server', `columns of table "${relname}" get other names`);
  return { name: alias?.aliasname ?? relname, table };
}

function joined(tables: Tables, node: Node): Source[] {
  const relation = as(node, 'RangeVar');
  const join = as(node, 'JoinExpr');
  if (relation) return [sourceOf(tables, relation)];
  return join ? [join.larg, join.rarg].flatMap((side) => (side ? joined(tables, side) : [])) : [NO_TABLE];
}
const NO_TABLE: Source = { name: undefined, table: undefined };

/** In order: the target of INSERT, UPDATE or DELETE, then what FROM and USING name; not those of sub-selects. */
export function sourcesOf(tables: Tables, statement: Node): Source[] {
  const [body] = Object.values(statement) as { relation?: RangeVar; fromClause?: Node[]; usingClause?: Node[] }[];
  const target = body?.relation ? [sourceOf(tables, body.relation)] : [];
  return [
    ...target,
    ...[...(body?.fromClause ?? []), ...(body?.usingClause ?? [])].flatMap((node) => joined(tables, node)),
  ];
}

/** The protected column that is meant, or may be: a name without known table is taken for that of any table here. */
export function resolveColumn(sources: readonly Source[], { fields = [] }: ColumnRef): EncryptedColumn | undefined {
  const names = stringsOf(fields);
  const column = names.at(-1) ?? '';
  const named = sources.filter(({ name }) => name === names.at(-2));
  const candidates = named.length === 0 ? sources : named;
  const isColumn = names.length === fields.length;
  return isColumn
    ? candidates.find(({ table }) => table?.encrypted.has(column))?.table?.encrypted.get(column)
    : undefined;
}
