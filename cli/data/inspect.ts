/** What a table is, of which the configuration names a column, and on which side of the switch: by its catalogue alone. */

import { quoted } from '../../acra/catalogue/labels.ts';
import type { EncryptedColumn } from '../../acra/encryptor-config/schema.ts';
import { type MigrationFinding, migrationFinding } from '../../acra/migration/findings.ts';
import type { Migration } from '../../acra/migration/migration.ts';
import type { Side } from '../../acra/migration/sides.ts';
import type { Connection, Row } from './connection.ts';
import { type FoundTable, factsOf, findTable, type TableFacts } from './questions.ts';
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

export interface Inspected {
  readonly table: KeyedTable;
  readonly configured: EncryptedColumn;
  readonly side: Side;
  readonly columns: ReadonlyMap<string, ColumnFacts>;
  readonly facts: TableFacts;
  readonly relation: FoundTable;
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

function sideOf(columns: ReadonlyMap<string, ColumnFacts>, { column, beside, old }: Migration): Side | undefined {
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
  const { table: relation, all } = await findTable(connection, migration.table, schema);
  if (!relation) {
    const what = all.map(([each, kind]) => `${quoted(each)} (${kind})`).join(', ');
    return migrationFinding('MIGRATION_TABLE', `${quoted(migration.table)}: ${what || 'no schema has it'}`);
  }
  const facts = await factsOf(connection, relation.oid, migration.column);
  const columns = new Map(facts.columns.map((row) => [row[0] ?? '', columnFacts(row)]));
  const side = sideOf(columns, migration) ?? sideByConstraint(columns, facts, migration);
  if (side === undefined || (side === 'unprepared' && columns.has(migration.beside)))
    return migrationFinding(
      'MIGRATION_COLUMNS',
      [...columns].map(([each, { type }]) => `${quoted(each)} ${type}`).join(', '),
    );
  const key = facts.key.map(([each, type]) => ({ name: each ?? '', type: type ?? '' }));
  return {
    table: { schema: relation.schema, migration, key },
    configured,
    side,
    columns,
    facts,
    relation,
  };
}
