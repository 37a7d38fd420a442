/** What is encrypted anew: which columns of which table, and which keys of the client they may be under. */
import type { EncryptedColumn, EncryptedTable } from '../../../acra/encryptor-config/schema.ts';
import type { KnownKeyIds } from '../../../keys/key-ids-file.ts';
import type { Configured } from '../../configured.ts';
import { CliError } from '../../errors.ts';
import { type FoundTable, factsOf, findTable } from '../questions.ts';
import { rowKeyOf } from '../row-key.ts';
import type { KeyedTable } from '../table.ts';
import type { Views } from '../verify/views.ts';

export interface ReencryptTarget {
  readonly table: EncryptedTable;
  /** Those under keys of the client. */
  readonly columns: readonly EncryptedColumn[];
  /** Those of AcraStructs, which do not say which key they are under; beside them there may be AcraBlocks of a configuration before. */
  readonly untold: readonly string[];
  readonly ids: KnownKeyIds;
}

/** The named table, or the only one. @throws CliError CLI_OPTION */
function tableOf({ tables }: Configured, name: string | undefined): EncryptedTable {
  const all = [...tables.values()].filter(({ encrypted }) => encrypted.size > 0);
  const found = name === undefined ? all : all.filter((each) => each.name === name);
  const [table] = found;
  if (table && found.length === 1) return table;
  throw new CliError('CLI_OPTION', name === undefined ? '--table is missing' : '--table names no protected table', {
    allowed: all.map((each) => each.name).join(', '),
  });
}

/** @throws CliError CLI_OPTION */
export function reencryptTarget(
  configured: Configured,
  name: string | undefined,
  clientId: string,
  keyIds: readonly KnownKeyIds[],
): ReencryptTarget {
  const table = tableOf(configured, name);
  if (configured.migrations.some((each) => each.table === table.name))
    throw new CliError('CLI_OPTION', `guard.migrations still names columns of "${table.name}"`, {
      action:
        'Make the switch, prove it by `data verify`, and take the entry away first (docs/encrypt-existing-data.md).',
    });
  const ids = keyIds.find((each) => each.clientId === clientId);
  if (!ids)
    throw new CliError('CLI_OPTION', '--key-ids does not name the client whose certificate --cert is', {
      found: clientId,
      action: 'Take the certificate of a client with keys, and the ids of the keystore that the enclave runs with.',
    });
  if (ids.old.includes(ids.current))
    throw new CliError('CLI_OPTION', 'an old key of this client has the id of the current one', {
      found: ids.current,
      action: 'Rotate once more (`acra-enclave keys rotate data`): the new key has an id of its own.',
    });
  const columns = [...table.encrypted.values()].filter((column) => (column.clientId ?? clientId) === clientId);
  const untold = columns.filter(({ envelope }) => envelope !== 'acrablock').map((column) => column.name);
  return { table, columns, untold, ids };
}

export interface FoundTarget {
  readonly table: KeyedTable;
  readonly relation: FoundTable;
}

/** @throws CliError CLI_OPTION */
export async function findTarget(
  { stored }: Views,
  { table: { name } }: ReencryptTarget,
  schema: string | undefined,
): Promise<FoundTarget> {
  const { table: relation } = await findTable(stored, name, schema);
  if (!relation)
    throw new CliError('CLI_OPTION', `no single table of the database is called "${name}"`, {
      action: 'Name the schema by --schema.',
    });
  const table: KeyedTable = {
    schema: relation.schema,
    migration: { table: name, column: '', beside: '', old: '' },
    key: rowKeyOf(relation, await factsOf(stored, relation.oid, ''), name),
  };
  return { table, relation };
}
