/** What may be found in a database. Codes are stable: they are never renamed. docs/check-db.md shows them; a test compares the two. */

interface FindingEntry {
  /** `error`: contradicts the configuration, or is a way for plaintext that nothing closes. `warning`: needs care. */
  readonly severity: 'error' | 'warning';
  readonly meaning: string;
  readonly action: string;
}

export const FINDINGS = {
  DB_TABLE_MISSING: {
    severity: 'error',
    meaning: 'A table of the encryptor configuration is not in the database.',
    action: 'Create it, correct its name in the encryptor configuration, or name the right `--database`.',
  },
  DB_TABLE_TWICE: {
    severity: 'warning',
    meaning: 'Several schemas have a relation of a protected table’s name: each of them is taken for protected.',
    action: 'Give all of them the configured columns, or rename those that are not meant.',
  },
  DB_TABLE_KIND: {
    severity: 'error',
    meaning: 'What is called as a protected table is a materialized view or a foreign table.',
    action: 'Protect the table that the values are stored in.',
  },
  DB_TABLE_IS_VIEW: {
    severity: 'warning',
    meaning: 'What is configured as a protected table is a view.',
    action:
      'See that each protected column of its tables is configured under the name that it has in the view, with the same settings; configure these tables too.',
  },
  DB_COLUMNS: {
    severity: 'error',
    meaning:
      'The columns of a protected table are not the configured ones in their order, which INSERT without columns and `*` rely on.',
    action: 'Write under `columns` of the encryptor configuration what the table has, in its order.',
  },
  DB_COLUMN_TYPE: {
    severity: 'error',
    meaning: 'A protected column is no bytea, or a column of tokens is not of their type.',
    action:
      'Make it one: ciphertext is stored as bytea, whatever `data_type` says, and tokens as what `token_type` says.',
  },
  DB_COLUMN_DEFAULT: {
    severity: 'error',
    meaning: 'A protected column has a default or is generated: the database would store that as it is.',
    action: 'Take it away; let the application give the value.',
  },
  DB_COLUMN_UNIQUE: {
    severity: 'error',
    meaning:
      'A protected column is in a unique, primary or exclusion key: equal values have different ciphertexts, or tokens that are not consistent.',
    action:
      'Make the column searchable, and the unique index on `substr(column, 1, 33)` alone; or its tokens consistent.',
  },
  DB_COLUMN_FOREIGN_KEY: {
    severity: 'error',
    meaning:
      'A protected column is in a foreign key, or is what one refers to: equal values have different ciphertexts.',
    action: 'Refer to a column that is not protected.',
  },
  DB_COLUMN_INDEX: {
    severity: 'warning',
    meaning: 'A protected column has an index that is not the one on its search hash: it costs room and finds nothing.',
    action: 'Drop it; index `substr(column, 1, 33)` of a searchable column.',
  },
  DB_COLUMN_GENERATED_FROM: {
    severity: 'warning',
    meaning: 'A generated column is made from a protected one, of which the database has ciphertext.',
    action: 'Drop it, or let the application work it out.',
  },
  DB_MIGRATION_UNPREPARED: {
    severity: 'error',
    meaning: '`guard.migrations` names a column of a table that is not prepared: the guard refuses the table.',
    action: 'Run `acra-enclave data prepare`; or take the entry out.',
  },
  DB_MIGRATION_PLAIN: {
    severity: 'warning',
    meaning: 'The rows of a column are being encrypted: it is plaintext, and what is written there too.',
    action: 'Run `acra-enclave data encrypt`.',
  },
  DB_MIGRATION_OLD: {
    severity: 'warning',
    meaning: 'A column is switched, and the one of its plaintext is there.',
    action: 'Run `acra-enclave data verify`, and then `data encrypt --old drop`.',
  },
  DB_MIGRATION_ENTRY: {
    severity: 'warning',
    meaning: 'A column is switched, and `guard.migrations` still has its entry, under which plaintext may pass.',
    action:
      'Take the entry out, and the column beside out of the encryptor configuration, whose `columns` are then what the table has.',
  },
  DB_BELT_MISSING: {
    severity: 'warning',
    meaning:
      'A protected column has no valid CHECK constraint that refuses what is no container: whatever goes round the enclave is stored as it is.',
    action: 'Have `acra-enclave guard ddl` write it, and run that.',
  },
  DB_BELT_SHORT: {
    severity: 'warning',
    meaning:
      'The CHECK constraint of a protected column looks at the first bytes only: plaintext that begins like a container passes.',
    action: 'Have `acra-enclave guard ddl` write one that looks at the whole structure, run that, and drop this one.',
  },
  DB_BELT_DIFFERENT: {
    severity: 'warning',
    meaning:
      'The CHECK constraint of a protected column is called like the one that `guard ddl` writes, or looks like it, and is not what it writes for this configuration.',
    action: 'Run anew what `acra-enclave guard ddl` writes.',
  },
  DB_BELT_NOT_VALIDATED: {
    severity: 'warning',
    meaning:
      'The CHECK constraint of a protected column holds for new rows, and nobody has looked at those that were there before: they may be plaintext.',
    action: 'ALTER TABLE … VALIDATE CONSTRAINT …; where that fails, encrypt the rows that are plaintext first.',
  },
  DB_ROW_SECURITY: {
    severity: 'warning',
    meaning: 'A protected table has row security.',
    action: 'See that no policy compares a protected column: it would have ciphertext.',
  },
  DB_RULE: {
    severity: 'warning',
    meaning: 'A protected table has a rule: what it stores in a protected column nobody encrypts.',
    action: 'Read it, or drop it.',
  },
  DB_TRIGGER: {
    severity: 'warning',
    meaning: 'A protected table, or what inherits from one, has a trigger.',
    action: 'Read its function: it sees ciphertext, and what it stores in a protected column nobody encrypts.',
  },
  DB_TRIGGER_NAMES_COLUMN: {
    severity: 'error',
    meaning:
      'The function of a trigger on a protected table names a protected column: it has ciphertext there, and what it assigns is stored as it is.',
    action: 'Take the column out of it; the application must give the value.',
  },
  DB_TABLE_RUNS_CODE: {
    severity: 'warning',
    meaning: 'What a protected table runs when it is written reaches a protected table, or cannot be read.',
    action: 'Read it: values that are not protected could get into protected columns.',
  },
  DB_VIEW: {
    severity: 'warning',
    meaning:
      'A view shows a protected table: it gets no values, and protected columns are read from it as they are stored.',
    action:
      'Use the table; or write the view into the encryptor configuration as a table, with its columns in order and the same settings for protected ones.',
  },
  DB_SHOWN_TABLE: {
    severity: 'error',
    meaning: 'A configured view shows a relation that is not configured, where the same values stand.',
    action: 'Write that relation into the encryptor configuration, too.',
  },
  DB_INHERITANCE: {
    severity: 'warning',
    meaning: 'A partition, a child or a parent of a protected table: it gets no values.',
    action:
      'Use the protected table; or write this one into the encryptor configuration, with its columns in order and the same settings.',
  },
  DB_FOREIGN_TABLE: {
    severity: 'warning',
    meaning: 'A foreign table gets no values: it may lead back into this database.',
    action: 'Write it into the list by hand where it does not.',
  },
  DB_RELATION_LEFT_OUT: {
    severity: 'warning',
    meaning:
      'A relation gets no values: writing it sets something in motion that reaches a protected table, or cannot be read.',
    action: 'Change what the finding names; or write the relation into the list by hand, once you have read it.',
  },
  DB_NAME_SHARED: {
    severity: 'warning',
    meaning:
      'A relation gets no values because another schema has one of its name that may not: names are listed without schema.',
    action: 'Rename one of them.',
  },
  DB_NAME_RESERVED: {
    severity: 'warning',
    meaning:
      'A relation is called as one of PostgreSQL’s own (`pg_class`), or a function as one that may get no values: it is never listed.',
    action: 'Rename it.',
  },
  DB_CATALOGUE_NAME: {
    severity: 'error',
    meaning:
      'A relation that reaches a protected table is called as one of PostgreSQL’s own (`pg_class`), which the guard exempts by name: what it is compared with would be sent as it is.',
    action: 'Rename or drop it, and ask who made it.',
  },
  DB_FUNCTION_LEFT_OUT: {
    severity: 'warning',
    meaning: 'A function gets no values: it reaches a protected table, or cannot be read.',
    action: 'Change what the finding names; or write the function into the list by hand, once you have read it.',
  },
  DB_FUNCTION_OVERLOADED: {
    severity: 'warning',
    meaning:
      'A function gets no values because another one of its name may not: names are listed without schema and arguments.',
    action: 'Rename one of them.',
  },
  DB_EXTENSION_LEFT_OUT: {
    severity: 'warning',
    meaning: 'Functions of an extension get no values: it is not known to work on its arguments alone.',
    action: 'Write those that the application needs into the list by hand, once you know what they do.',
  },
  DB_BUILT_IN_NAME: {
    severity: 'error',
    meaning:
      'A function that may get no values is called as one of PostgreSQL’s own, and may be chosen for its arguments’ types: the guard cannot tell the two apart.',
    action: 'Rename or drop it.',
  },
  DB_OPERATOR_LEFT_OUT: {
    severity: 'warning',
    meaning: 'An operator gets no values: it runs a function that reaches a protected table, or cannot be read.',
    action: 'Change what the finding names; or write the operator into the list by hand, once you have read it.',
  },
  DB_SYMBOL_REACHES: {
    severity: 'error',
    meaning:
      'An operator that is written as one of PostgreSQL’s own, a cast or a type runs a function that reaches a protected table. A statement that uses it (`a = b`, `value::type`) gives it values, and no list stops that.',
    action: 'Drop it, or change what the finding names.',
  },
  DB_SYMBOL_UNREAD: {
    severity: 'warning',
    meaning:
      'An operator that is written as one of PostgreSQL’s own, a cast or a type runs a function that cannot be read. A statement that uses it gives it values, and no list stops that.',
    action: 'Read the function, or drop what uses it.',
  },
  DB_EVENT_TRIGGER: {
    severity: 'warning',
    meaning:
      'An event trigger runs a function that reaches a protected table, or cannot be read, when something is defined.',
    action: 'Read it.',
  },
  DB_LOG_SETTING: {
    severity: 'warning',
    meaning:
      'The database writes statements of the application’s role, their values or rows into its log: plaintext too, where a CHECK constraint refuses it.',
    action:
      'Have `acra-enclave guard ddl --role NAME` write the settings, and run them as a superuser; a managed database has them in its parameter group.',
  },
  DB_ROLE_RIGHTS: {
    severity: 'warning',
    meaning:
      'The application’s role may do more to a protected table than it needs, and so may whoever has its password.',
    action: 'Have `acra-enclave guard ddl --role NAME` write its rights, and run that; let another role own the table.',
  },
  DB_SEARCH_NOT_UNIQUE: {
    severity: 'warning',
    meaning:
      'An entry of `uniqueSearches` has no unique index in the database: ON CONFLICT over it would fail (`42P10`). It is taken from the list.',
    action:
      'Create the index, with `substr(column, 1, 33)` in the place of each protected column; or leave the entry out.',
  },
  DB_SEARCH_NOT_JUDGED: {
    severity: 'warning',
    meaning:
      'Whether an entry of `uniqueSearches` is true cannot be seen: its table is a view, has children or is missing, or its index has a condition, INCLUDE, or an order of its own. It stays on the list.',
    action: 'See that equal values cannot be there twice; ON CONFLICT must name what its index needs.',
  },
  DB_LIST_UNUSED: {
    severity: 'warning',
    meaning: 'enclave.yaml does not use the list: `guard.list` does not name it, or `guard.relations` is `any`.',
    action: 'Write `guard: {relations: listed, list: guard-list.yaml}` into enclave.yaml.',
  },
} as const satisfies Readonly<Record<string, FindingEntry>>;

export type FindingCode = keyof typeof FINDINGS;

export interface Finding {
  readonly code: FindingCode;
  readonly severity: FindingEntry['severity'];
  /** What it is about. */
  readonly object: string;
  readonly found: string;
  readonly action: string;
}

/** @param object @param found as labels.ts writes them: nothing in them is a stranger's text as it came */
export function finding(code: FindingCode, object: string, found: string): Finding {
  const { severity, action } = FINDINGS[code];
  return { code, severity, object, found, action };
}
