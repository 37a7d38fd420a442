/** The protected tables as the guard has them while rows of some are being encrypted (decision 21). */
import type { EncryptedTable } from '../encryptor-config/schema.ts';
import type { Migration } from './migration.ts';

type Tables = ReadonlyMap<string, EncryptedTable>;

/** Positions mean nothing in them: `beside` is there before the switch, `old` behind it. */
export function withHidden(tables: Tables, migrations: readonly Migration[]): Tables {
  return changed(tables, migrations, (table, own) => ({ ...table, hidden: own.map(({ beside }) => beside) }));
}

/** Before the switch: whatever goes into the columns goes there as it is. */
export function withPlain(tables: Tables, migrations: readonly Migration[]): Tables {
  return changed(tables, migrations, (table, own) => {
    const isPlain = (name: string) => own.some(({ column }) => column === name);
    return { ...table, encrypted: new Map([...table.encrypted].filter(([name]) => !isPlain(name))) };
  });
}

function changed(
  tables: Tables,
  migrations: readonly Migration[],
  change: (table: EncryptedTable, own: readonly Migration[]) => EncryptedTable,
): Tables {
  if (migrations.length === 0) return tables;
  return new Map(
    [...tables].map(([name, table]) => {
      const own = migrations.filter((migration) => migration.table === name);
      return [name, own.length > 0 ? change(table, own) : table];
    }),
  );
}
