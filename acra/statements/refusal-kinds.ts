/**
 * Why the guard refuses, as a client, an operator and a metric are told it: each kind with its state, what it means, the form that is
 * accepted instead, and what to do. Kinds are never renamed: alarms may match on them. docs/refusals.md is made from this
 * (cli/refusal-document.ts). Specification of the states: PostgreSQL 18, appendix A.
 */

import { NOT_ALLOWED, NOT_SUPPORTED, type RefusalSection } from './refusal-section.ts';

export const REFUSALS = {
  'value-hidden': {
    inReportMode: 'passes',
    sqlStates: NOT_SUPPORTED,
    meaning:
      'What is stored in a protected column, or compared with it, is made by the database: by a function, an operator, another table, a row that cannot be seen.',
    accepted: 'Give the value as a literal or a parameter, cast to the type of the column at most.',
    action: 'Compute the value in the application and send it as a parameter.',
  },
  'value-shared': {
    inReportMode: 'passes',
    sqlStates: NOT_SUPPORTED,
    meaning: 'One value is for a protected column and for something else, and cannot be two.',
    accepted: 'Give the value once for each use: a literal or a parameter of its own.',
    action: 'Repeat the value in the statement, under another parameter number.',
  },
  'value-count': {
    inReportMode: 'passes',
    sqlStates: NOT_SUPPORTED,
    meaning:
      'A row has more values than its table has known columns, so that a value for a protected one may be among them.',
    accepted: 'Name the columns that the values are for.',
    action: 'List the columns in the statement, or all columns of the table in the encryptor configuration.',
  },
  'value-invalid': {
    inReportMode: 'refused',
    sqlStates: ['22P02', '22003', '22021', '54000', '0A000'],
    meaning:
      'A value cannot be read as the type of its protected column, is out of its range, or is longer than can be encrypted.',
    accepted: 'Give a value of the type that the encryptor configuration names for the column.',
    action: 'Mend the value in the application; PostgreSQL would refuse it for a plain column of that type.',
  },
  'value-foreign': {
    inReportMode: 'refused',
    sqlStates: ['22023'],
    meaning: 'A value looks like a container of Acra, and does not open under the keys of this client.',
    accepted: 'Give the plaintext, or a container of this client.',
    action: 'Find out whose container it is; acra-server would store it as it is.',
  },
  comparison: {
    inReportMode: 'passes',
    sqlStates: NOT_SUPPORTED,
    meaning:
      'A protected column is compared in a way that its ciphertext does not allow: by order, pattern, or with a column of other keys.',
    accepted:
      'Compare a searchable column by =, <>, IN, = ANY or IS [NOT] DISTINCT FROM with literals, parameters or a searchable column of the same keys.',
    action: 'Compare what the application reads, or search by equality.',
  },
  'not-searchable': {
    inReportMode: 'passes',
    sqlStates: NOT_SUPPORTED,
    meaning: 'A protected column is compared that the encryptor configuration does not call searchable.',
    accepted: 'Compare another column, or test this one by IS NULL.',
    action:
      'Give the column `searchable: true`, or `consistent_tokenization: true` where it has tokens, in the encryptor configuration, and write its rows anew.',
  },
  migration: {
    inReportMode: 'refused',
    sqlStates: ['0A000', '55000'],
    meaning:
      'The statement names a table whose rows are being encrypted (`guard.migrations`): the table is not prepared for it, or the statement is of a kind that has to wait for the switch.',
    accepted: 'Name the columns, and use SELECT, INSERT, UPDATE, DELETE, MERGE, cursors or COPY of a query.',
    action:
      'Prepare the table by `acra-enclave data prepare`; or take the entry from `guard.migrations` where the table has been switched, and roll that out.',
  },
  order: {
    inReportMode: 'passes',
    sqlStates: NOT_SUPPORTED,
    meaning: 'Rows are ordered, grouped or made distinct by a protected column, of which the database has ciphertext.',
    accepted: 'Order, group and select distinct by other columns; put rows together by UNION ALL.',
    action: 'Do it in the application with what it reads.',
  },
  expression: {
    inReportMode: 'passes',
    sqlStates: NOT_SUPPORTED,
    meaning: 'A protected column is used in an expression, where the database would work on ciphertext.',
    accepted: 'Use the column as a result by itself, in count(), IS NULL, CASE or COALESCE of this column alone.',
    action: 'Select the column and compute in the application.',
  },
  cast: {
    inReportMode: 'passes',
    sqlStates: NOT_SUPPORTED,
    meaning: 'A protected column, or a parameter for one, is cast to a type that is not its own.',
    accepted: 'Leave the cast out, or cast to the type that the encryptor configuration names for the column.',
    action: 'Convert in the application.',
  },
  copied: {
    inReportMode: 'passes',
    sqlStates: NOT_SUPPORTED,
    meaning: 'A protected column is copied to another column or a new table, where nobody could read it.',
    accepted: 'Read the rows and write them with literals or parameters.',
    action: 'Copy through the application.',
  },
  'ambiguous-name': {
    inReportMode: 'passes',
    sqlStates: NOT_SUPPORTED,
    meaning: 'A name may be that of a protected column or of something that nobody knows, and is not guessed.',
    accepted:
      'Write the name of the table, or its alias, before the column, and give columns of sub-selects names by AS.',
    action: 'Qualify the names, or describe the other table in the encryptor configuration.',
  },
  'name-missing': {
    inReportMode: 'passes',
    sqlStates: ['42703'],
    meaning:
      'The name of a protected column stands where no relation has it; the database would say so after it has read the value beside it.',
    accepted: 'Name a column of a relation that the statement reads.',
    action: 'Mend the statement.',
  },
  'relation-unlisted': {
    inReportMode: 'passes',
    sqlStates: NOT_ALLOWED,
    meaning: 'A relation would receive values that is neither protected nor on the list of the measured configuration.',
    accepted: 'Write to relations that the list names; others are read only.',
    action: 'Have `acra-enclave guard check-db` write the list, look at what is new, and build the image again.',
  },
  'function-unlisted': {
    inReportMode: 'passes',
    sqlStates: NOT_ALLOWED,
    meaning:
      'A function, or an operator that PostgreSQL does not have, would receive values and is not on the list of the measured configuration.',
    accepted: 'Call functions and operators that the list names.',
    action: 'Have `acra-enclave guard check-db` write the list, look at what is new, and build the image again.',
  },
  'column-unlisted': {
    inReportMode: 'passes',
    sqlStates: NOT_ALLOWED,
    meaning:
      'A column of a relation that is neither in the encryptor configuration nor on the list is compared with a value of the statement, or given to a function that may compare it; or it has the name of a protected one, and is more than a result.',
    accepted: 'Use the column as a result, with other columns, or with what only works something out of it.',
    action: 'Put the relation on the list, or into the encryptor configuration where the column is protected.',
  },
  'code-hidden': {
    inReportMode: 'passes',
    sqlStates: NOT_ALLOWED,
    meaning: 'DO runs code that nobody reads here, with the values in it.',
    accepted: 'Send the statements of the code by themselves.',
    action: 'Run what changes the schema past the enclave, as the owner of the database.',
  },
  definition: {
    inReportMode: 'passes',
    sqlStates: NOT_SUPPORTED,
    meaning:
      'A definition would have the database store, compare or show values of a protected column by itself, or is of no use with ciphertext: a default, a generated value, a rule, a key, an index.',
    accepted:
      'Define protected columns without these. A searchable one may have an index on substr(column, 1, 33), which may be unique.',
    action:
      'Have the application give the values; define what code needs past the enclave, as the owner of the database.',
  },
  'prepared-name': {
    inReportMode: 'passes',
    sqlStates: NOT_SUPPORTED,
    meaning:
      'The name of a prepared statement or cursor may mean several things at this moment, or one that was not seen, and values may be protected.',
    accepted:
      'Prepare in this session, under a name of its own, and use the name in the same text or after the answer.',
    action: 'Do not take names again in the same pipeline.',
  },
  copy: {
    inReportMode: 'passes',
    sqlStates: ['0A000', '22023'],
    meaning:
      'COPY would store or show values of protected columns where nobody sees them (a file or a program of the server), in another encoding, or with an option that cannot be done exactly.',
    accepted:
      'Use COPY … FROM STDIN or TO STDOUT in text, CSV or binary, in UTF8, without a WHERE over protected columns.',
    action: 'Let the client read and write the file (\\copy of psql, COPY of a driver).',
  },
  'copy-data': {
    inReportMode: 'refused',
    sqlStates: ['22P04'],
    meaning: 'What a client sends behind COPY … FROM STDIN is no data of the format that the statement names.',
    accepted:
      'Send rows with as many fields as the COPY has columns, in the format and with the options that it names.',
    action: 'Mend the data; PostgreSQL would refuse them as well. Nothing of the COPY is stored.',
  },
  'conflict-target': {
    inReportMode: 'passes',
    sqlStates: NOT_SUPPORTED,
    meaning:
      'ON CONFLICT looks for equal ciphertexts in a protected column, which there never are: rows would be stored twice.',
    accepted: 'Name a conflict target without protected columns, or a searchable one with a unique index on its hash.',
    action:
      'Create a unique index on substr(column, 1, 33) of the searchable column, and name it in the uniqueSearches of guard.list.',
  },
  'statement-unknown': {
    inReportMode: 'passes',
    sqlStates: ['0A000', '42000'],
    meaning: 'A statement of a kind that is not mapped names a protected table together with values.',
    accepted: 'Use SELECT, INSERT, UPDATE, DELETE or MERGE for protected columns.',
    action: 'Write the values by one of these.',
  },
  'function-call': {
    inReportMode: 'refused',
    sqlStates: NOT_SUPPORTED,
    meaning: 'A function is called past SQL, by the message FunctionCall: its arguments cannot be judged.',
    accepted: 'Call the function in a statement.',
    action: 'Switch the driver to statements; libpq calls it PQfn.',
  },
  syntax: {
    inReportMode: 'refused',
    sqlStates: ['42601'],
    meaning: 'The grammar of PostgreSQL does not read the statement.',
    accepted: 'Write what PostgreSQL 18 reads.',
    action: 'Mend the statement at the character that the message names.',
  },
  'server-version': {
    inReportMode: 'refused',
    sqlStates: NOT_SUPPORTED,
    meaning:
      'The PostgreSQL of this database is older than 16 and takes a number or word of the statement for something else.',
    accepted: 'Write numbers in decimal digits alone, and the column system_user in quotes.',
    action: 'Mend the statement: no 1_000, 0x1F, 0o17, 0b11 and SYSTEM_USER before PostgreSQL 16.',
  },
  'too-complex': {
    inReportMode: 'passes',
    sqlStates: ['54001'],
    meaning: 'The statement nests too deeply, or takes too long to be judged.',
    accepted: 'Write a shorter statement, or several.',
    action: 'Give many values as one array parameter, or by several statements.',
  },
  'too-long': {
    inReportMode: 'refused',
    sqlStates: ['54000'],
    meaning: 'A message of the client is longer than the measured configuration allows.',
    accepted: 'Send messages up to ingress.limits.maxMessageBytes.',
    action: 'Send less at once, or raise the limit.',
  },
  busy: {
    inReportMode: 'refused',
    sqlStates: ['53200', '53000'],
    meaning: 'Too many long messages or values of this client are under way at this moment.',
    accepted: 'Try again.',
    action: 'Send less at once.',
  },
  encoding: {
    inReportMode: 'refused',
    sqlStates: ['22021'],
    meaning:
      'The statement is not UTF-8 text, or has characters beyond ASCII with a client_encoding that reads them differently.',
    accepted: 'Set client_encoding to UTF8.',
    action: 'Configure the encoding of the driver.',
  },
  setting: {
    inReportMode: 'refused',
    sqlStates: ['22023', '55P02'],
    meaning:
      'A setting would change how statements are read, so that others would be judged than are carried out; or it is one of acra_enclave, which is made as the session starts.',
    accepted:
      'Leave standard_conforming_strings on, and client_encoding at UTF8 or an encoding of one byte a character; give acra_enclave.protected in the start-up packet.',
    action: "Write E'…' for literals with escapes; set PGOPTIONS for acra_enclave.protected.",
  },
  unreadable: {
    inReportMode: 'refused',
    sqlStates: ['42000'],
    meaning: 'What is stored cannot be opened with the keys of this client, and the column is configured to fail then.',
    accepted: 'Select other columns or rows.',
    action: 'Find out who wrote it, and with which keys.',
  },
  tokens: {
    inReportMode: 'refused',
    sqlStates: ['58000', '0A000'],
    meaning:
      'No token was made for a value, or one that is stored was not exchanged for its value: Redis cannot be reached, does not know the token, or has no other value of that form left.',
    accepted:
      'Try again while Redis can be reached; read columns of tokens as they are in a session with acra_enclave.protected=stored, and write them in another.',
    action:
      'Look at the log of the enclave and at Redis. A value that was stored before the column was tokenized, or whose token was lost, stays unread.',
  },
  engine: {
    inReportMode: 'refused',
    sqlStates: ['58000', '42000'],
    meaning: 'acra-server did not protect or read a value.',
    accepted: 'Try again.',
    action: 'Look at the log of the enclave: `guard.engine-failed` names the code.',
  },
  'acra-server': {
    inReportMode: 'refused',
    sqlStates: ['42000', '22023', '0A000', '22P02'],
    meaning:
      'With the stand-in in line: acra-server itself would read the statement differently, or send the value on in plaintext.',
    accepted: 'Write a single plain INSERT, UPDATE or SELECT with literals or parameters.',
    action: 'Simplify the statement, or use `ingress.tls: terminate`, where the guard reads it.',
  },
} as const satisfies Readonly<Record<string, RefusalSection>>;

export type RefusalKind = keyof typeof REFUSALS;

export const REFUSAL_KINDS = Object.keys(REFUSALS) as readonly RefusalKind[] as readonly [
  RefusalKind,
  ...RefusalKind[],
];
