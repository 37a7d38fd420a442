/**
 * By what a command names single rows of a table: its primary key. The rows of children (INHERITS) are seen in their parent, and no index
 * keeps their keys from being those of its own rows: one would be passed over behind the other, or written with the value of the other.
 */
import { CliError } from '../errors.ts';
import type { FoundTable, TableFacts } from './questions.ts';
import type { KeyedTable } from './table.ts';

/** @param name of the table. @throws CliError CLI_OPTION: nothing names a single row */
export function rowKeyOf(
  { hasChildren }: FoundTable,
  { key }: Pick<TableFacts, 'key'>,
  name: string,
): KeyedTable['key'] {
  if (hasChildren)
    throw new CliError('CLI_OPTION', `table "${name}" has children, whose rows may have the keys of its own rows`, {
      action: 'Take the children off (ALTER TABLE … NO INHERIT), or make partitions of them, whose keys are unique.',
    });
  if (key.length === 0)
    throw new CliError('CLI_OPTION', `table "${name}" has no primary key, by which rows could be named`);
  return key.map(([column, type]) => ({ name: column ?? '', type: type ?? '' }));
}
