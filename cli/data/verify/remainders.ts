/** What the switch should have left nothing of, and what is still to be done before a table is as any protected one. */
import type { EncryptedTable } from '../../../acra/encryptor-config/schema.ts';
import type { Migration } from '../../../acra/migration/migration.ts';
import { notNullName, restIndexName, triggerNames } from '../../../acra/migration/names.ts';
import type { TableFacts } from '../questions.ts';

export interface Remainder {
  readonly kind: 'unswitched' | 'old' | 'trigger' | 'index' | 'unproved' | 'configured';
  readonly name: string;
  readonly action: string;
  /** False: plaintext may still be let pass, but none is there. */
  readonly isFault: boolean;
}

const fault = (kind: Remainder['kind'], name: string, action: string): Remainder => ({
  kind,
  name,
  action,
  isFault: true,
});

const plaintextIn = ({ old }: Migration) =>
  fault('old', old, 'It has the plaintext: run data encrypt with --old drop, or --old empty.');

function remaindersOfColumn(facts: TableFacts, migration: Migration): Remainder[] {
  const has = (name: string) => facts.columns.some(([each]) => each === name);
  const { column, beside } = migration;
  const [index, proof] = [restIndexName(migration), notNullName(migration)];
  const triggers = triggerNames(migration);
  return [
    ...(has(beside) ? [fault('unswitched', column, 'It is plaintext: run data encrypt.')] : []),
    ...triggers
      .filter((trigger) => facts.triggers.some(([name]) => name === trigger))
      .map((trigger) =>
        fault('trigger', trigger, 'Run data encrypt; where the column is switched, drop it with its function.'),
      ),
    ...(facts.indexes.some(([name]) => name === index) ? [fault('index', index, 'Run data encrypt.')] : []),
    ...(facts.checks.some(([name]) => name === proof)
      ? [fault('unproved', proof, 'NOT NULL is not proved yet: run data encrypt.')]
      : []),
    {
      kind: 'configured',
      name: `${migration.table}.${column}`,
      action: `Take the entry out of guard.migrations, and ${beside} out of the encryptor configuration; measure, and roll out.`,
      isFault: false,
    },
  ];
}

/** @param migrations of the table */
export function remaindersOf(
  facts: TableFacts,
  table: EncryptedTable,
  migrations: readonly Migration[],
  hasPlaintext: (migration: Migration) => boolean,
): Remainder[] {
  const missing = [...table.encrypted.keys()].filter(
    (name) => !facts.columns.some(([each]) => each === name) && !migrations.some(({ beside }) => beside === name),
  );
  return [
    ...missing.map((name) => fault('unswitched', name, 'The table has no such column.')),
    ...migrations.flatMap((migration) => [
      ...(hasPlaintext(migration) ? [plaintextIn(migration)] : []),
      ...remaindersOfColumn(facts, migration),
    ]),
  ];
}
