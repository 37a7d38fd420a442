/** What a table is, of which the configuration names a column, and on which side of the switch: by its catalogue alone. */

import { quoted } from '../../acra/catalogue/labels.ts';
import type { EncryptedColumn } from '../../acra/encryptor-config/schema.ts';
import { type MigrationFinding, migrationFinding } from '../../acra/migration/findings.ts';
import type { Migration } from '../../acra/migration/migration.ts';
import { type Connection, type Row, rowsOf } from './connection.ts';
import { factsOf, RELATIONS, type TableFacts } from './questions.ts';
import type { KeyedTable } from './table.ts';

export interface ColumnFacts {
  readonly number: string;
  readonly type: string;
  readonly isBase: boolean;
  readonly isRequired: boolean;
  readonly hasDefault: boolean;
  readonly isGenerated: boolean;
  readonly grants: string;
}

/**
 * - `unprepared`: plaintext, and nothing beside it.
 * - `plain`: both are there.
 * - `switched`: the protected one has the name.
 */
export type TableSide = 'unprepared' | 'plain' | 'switched';

export interface Inspected {
  readonly oid: string;
  readonly table: KeyedTable;
  readonly configured: EncryptedColumn;
  readonly side: TableSide;
  readonly columns: ReadonlyMap<string, ColumnFacts>;
  readonly facts: TableFacts;
  readonly relation: Row;
  /** Of the last ANALYZE or VACUUM. */
  readonly estimatedRows: number;
}

const TRUE = 'true';

const columnFacts = ([
  ,
  number,
  type,
  kind,
  isRequired,
  hasDefault,
  isGenerated,
  grants,
  schema,
]: Row): ColumnFacts => ({
  number: number ?? '',
  type: type ?? '',
  isBase: kind === 'b' && schema === 'pg_catalog',
  isRequired: isRequired === TRUE,
  hasDefault: hasDefault === TRUE,
  isGenerated: isGenerated === TRUE,
  grants: grants ?? '',
});

function sideOf(columns: ReadonlyMap<string, ColumnFacts>, { column, beside, old }: Migration): TableSide | undefined {
  const [own, other] = [columns.get(column), columns.get(beside)];
  if (!own) return undefined;
  if (other) return other.type === 'bytea' ? 'plain' : undefined;
  return own.type === 'bytea' && columns.has(old) ? 'switched' : undefined;
}

/** Without a plaintext column the two cannot be told apart by columns; the constraint that keeps anything but containers out can. */
function sideByConstraint(columns: ReadonlyMap<string, ColumnFacts>, { checks }: TableFacts, { column }: Migration) {
  const own = columns.get(column);
  if (!own) return undefined;
  const isHeld = checks.some(([, , keys, definition]) => keys === own.number && definition?.includes(`\\x252525`));
  return own.type === 'bytea' && isHeld ? 'switched' : 'unprepared';
}

/** @returns what it is; or why it cannot be said */
export async function inspect(
  connection: Connection,
  migration: Migration,
  configured: EncryptedColumn,
  schema?: string,
): Promise<Inspected | MigrationFinding> {
  const found = await rowsOf(connection, RELATIONS, [migration.table]);
  const named = schema === undefined ? found : found.filter(([, name]) => name === schema);
  const [relation, ...others] = named.length > 1 ? named.filter((row) => row[7] === TRUE) : named;
  const [oid, name, kind] = relation ?? [];
  if (!relation || !oid || !name || others.length > 0 || (kind !== 'r' && kind !== 'p')) {
    const what = found.map((row) => `${quoted(row[1] ?? '')} (${row[2]})`).join(', ');
    return migrationFinding('MIGRATION_TABLE', `${quoted(migration.table)}: ${what || 'no schema has it'}`);
  }
  const facts = await factsOf(connection, oid, migration.column);
  const columns = new Map(facts.columns.map((row) => [row[0] ?? '', columnFacts(row)]));
  const side = sideOf(columns, migration) ?? sideByConstraint(columns, facts, migration);
  if (side === undefined || (side === 'unprepared' && columns.has(migration.beside)))
    return migrationFinding(
      'MIGRATION_COLUMNS',
      [...columns].map(([each, { type }]) => `${quoted(each)} ${type}`).join(', '),
    );
  const key = facts.key.map(([each, type]) => ({ name: each ?? '', type: type ?? '' }));
  return {
    oid,
    table: { schema: name, migration, key },
    configured,
    side,
    columns,
    facts,
    relation,
    estimatedRows: Number(relation[6]),
  };
}
