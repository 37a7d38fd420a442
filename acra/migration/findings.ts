/** What may keep a column's rows from being encrypted. Codes are stable: they are never renamed. docs/encrypt-existing-data.md shows them; a test compares the two. */

interface FindingEntry {
  /** `error`: nothing is changed before it is mended. `note`: to be known, or done afterwards. */
  readonly severity: 'error' | 'note';
  readonly meaning: string;
  readonly action: string;
}

export const MIGRATION_FINDINGS = {
  MIGRATION_TABLE: {
    severity: 'error',
    meaning: 'There is no ordinary table of that name, or several schemas have one.',
    action:
      'Correct `guard.migrations`; name the schema by `--schema`. A view, a foreign or a temporary table cannot be encrypted.',
  },
  MIGRATION_OWNER: {
    severity: 'error',
    meaning: 'The database user does not own the table, which its switch takes.',
    action: 'Log in as the owner, or as a member of that role.',
  },
  MIGRATION_INHERITANCE: {
    severity: 'error',
    meaning: 'The table is partitioned, a partition, or has parents or children.',
    action: 'Not possible for these: make a table that is none, or copy the rows through the enclave.',
  },
  MIGRATION_KEY: {
    severity: 'error',
    meaning: 'The table has no primary key, or the column is in it.',
    action:
      'Add one (`ALTER TABLE … ADD COLUMN … bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY`), over other columns.',
  },
  MIGRATION_COLUMNS: {
    severity: 'error',
    meaning: 'The table has not the columns that are expected before the switch, nor those behind it.',
    action:
      'Compare the names in `guard.migrations` with the table; `acra-enclave data prepare` adds the column beside.',
  },
  MIGRATION_TYPE: {
    severity: 'error',
    meaning: 'The type of the column does not fit the configured `data_type`.',
    action:
      '`str` is for text, varchar and char; `int32` for smallint and integer; `int64` for these and bigint; `bytes`, or none, for bytea. Change either with ALTER TABLE or in the encryptor configuration.',
  },
  MIGRATION_PADDED: {
    severity: 'note',
    meaning:
      'The column is of type char(n): its values are encrypted with the blanks at their end, and compared with them.',
    action: 'Let the application pad what it searches for, or make the column text before.',
  },
  MIGRATION_MASKED: {
    severity: 'error',
    meaning: 'The column is configured with masking, of which this tool cannot say what is stored.',
    action: 'Leave masking out until the rows are encrypted.',
  },
  MIGRATION_DEFAULT: {
    severity: 'error',
    meaning: 'The column has a default, is generated, or is an identity: the database would store that unencrypted.',
    action: 'Take it away; let the application give the value.',
  },
  MIGRATION_GENERATED_FROM: {
    severity: 'error',
    meaning: 'A generated column is made from the column.',
    action: 'Drop it, or let the application work it out.',
  },
  MIGRATION_VIEW: {
    severity: 'error',
    meaning: 'A view, a materialized view or a rule reads the column: it would go on showing the plaintext.',
    action: 'Drop it, and make it again behind the switch.',
  },
  MIGRATION_RULE: {
    severity: 'error',
    meaning: 'The table has a rule.',
    action: 'Drop it.',
  },
  MIGRATION_FOREIGN_KEY: {
    severity: 'error',
    meaning: 'The column is in a foreign key, or is what one refers to: equal values have different ciphertexts.',
    action: 'Refer to a column that is not to be protected.',
  },
  MIGRATION_UNIQUE: {
    severity: 'error',
    meaning: 'The column is in a unique key or index, and the column beside has no such index on its hash.',
    action:
      'Make the column searchable, and run `data prepare`; where other columns are in the key, make a unique index with `substr(BESIDE, 1, 33)` in its place.',
  },
  MIGRATION_UNIQUE_ENDS: {
    severity: 'note',
    meaning: 'A unique key or index is on the column; one on the hash takes its place behind the switch.',
    action: 'See that what is in `ON CONFLICT` is in `uniqueSearches` of the guard’s list.',
  },
  MIGRATION_INDEX_ENDS: {
    severity: 'note',
    meaning: 'An index or statistics of the column stay with the plaintext, and find nothing behind the switch.',
    action: 'Nothing, where the old column is dropped; else drop it. A searchable column has an index on its hash.',
  },
  MIGRATION_CHECK: {
    severity: 'error',
    meaning: 'A CHECK constraint is on the column: it would stay with the plaintext, which is NULL in new rows.',
    action: 'Drop it; let the application check.',
  },
  MIGRATION_POLICY: {
    severity: 'error',
    meaning: 'A policy of row security reads the column, or row security is forced upon the owner.',
    action: 'Change the policy; `NO FORCE ROW LEVEL SECURITY` while rows are encrypted.',
  },
  MIGRATION_TRIGGER: {
    severity: 'error',
    meaning:
      'A trigger is on the column, or its function names it: it would read and write what is not there behind the switch.',
    action: 'Drop it, or take the column out of it.',
  },
  MIGRATION_TRIGGER_RUNS: {
    severity: 'note',
    meaning: 'A trigger runs for each row that is filled.',
    action: 'See that it does no harm (`updated_at`, audit tables, notifications); switch it off meanwhile, or let it.',
  },
  MIGRATION_USED: {
    severity: 'error',
    meaning: 'Something else in the database depends on the column.',
    action: 'Drop it, and make it again behind the switch.',
  },
  MIGRATION_GRANTS: {
    severity: 'error',
    meaning: 'Privileges are granted on the column by itself, and others, or none, on the one beside.',
    action: 'Grant the same on the column beside.',
  },
  MIGRATION_PUBLICATION: {
    severity: 'note',
    meaning:
      'A publication has the table: its subscribers must have both columns, and see the switch as columns that they do not know.',
    action: 'Prepare the subscribers’ table alike, and rename its columns when the switch is made.',
  },
  MIGRATION_CONSTRAINT: {
    severity: 'error',
    meaning: 'The column beside has no valid CHECK constraint that keeps everything but containers out.',
    action: 'Run `acra-enclave data prepare`.',
  },
  MIGRATION_PREPARED_TRIGGER: {
    severity: 'error',
    meaning:
      'The trigger that empties the column beside is not there, or not switched on: a change past the enclave would be lost.',
    action: 'Run `acra-enclave data prepare`.',
  },
  MIGRATION_INDEX: {
    severity: 'error',
    meaning: 'The index on what is left to fill, or that of the search hash, is not there or not valid.',
    action: 'Run `acra-enclave data prepare`.',
  },
} as const satisfies Readonly<Record<string, FindingEntry>>;

export type MigrationCode = keyof typeof MIGRATION_FINDINGS;

export interface MigrationFinding {
  readonly code: MigrationCode;
  readonly severity: FindingEntry['severity'];
  readonly found: string;
  readonly action: string;
}

/** @param found with names as acra/catalogue/labels.ts shows them */
export function migrationFinding(code: MigrationCode, found: string): MigrationFinding {
  const { severity, action } = MIGRATION_FINDINGS[code];
  return { code, severity, found, action };
}
