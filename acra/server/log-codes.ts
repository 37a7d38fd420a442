/**
 * The `code` field of acra-server's log records, as far as anything here acts on it (acra-server contract 3.5, 3.6, 0.1).
 * acra-server uses many more; they are passed on as numbers and explained nowhere.
 */

export const LOG_CODES = {
  poisonRecordShutdown: 101,
  wrongConfiguration: 507,
  serviceConfigUnreadable: 508,
  transportConfiguration: 532,
  databaseUnreachable: 540,
  censorBlocked: 560,
  censorSetup: 561,
  tlsNotInitialized: 584,
  poisonRecordSeen: 587,
  queryNotEncrypted: 900,
  expressionNotEncrypted: 903,
} as const;
type LogCode = (typeof LOG_CODES)[keyof typeof LOG_CODES];

interface LogCodeEntry {
  readonly meaning: string;
  /**
   * `plaintext`: a statement may have reached the database unencrypted. `poison`: somebody is copying the database.
   * `database`: the database is unreachable. `tls`: a handshake failed. `configuration`: acra-server cannot run like this.
   */
  readonly concern: 'plaintext' | 'poison' | 'database' | 'tls' | 'configuration' | 'censor';
}

const ENTRIES: Readonly<Record<LogCode, LogCodeEntry>> = {
  [LOG_CODES.tlsNotInitialized]: { concern: 'tls', meaning: 'no TLS with a client, or with the database' },
  [LOG_CODES.poisonRecordShutdown]: { concern: 'poison', meaning: 'a poison record was read; acra-server shuts down' },
  [LOG_CODES.poisonRecordSeen]: { concern: 'poison', meaning: 'a poison record was read' },
  [LOG_CODES.wrongConfiguration]: { concern: 'configuration', meaning: 'an option or the encryptor file is wrong' },
  [LOG_CODES.serviceConfigUnreadable]: { concern: 'configuration', meaning: 'the options could not be read' },
  [LOG_CODES.transportConfiguration]: { concern: 'configuration', meaning: 'TLS or the client id is set up wrongly' },
  [LOG_CODES.censorSetup]: { concern: 'configuration', meaning: 'the censor file is wrong' },
  [LOG_CODES.censorBlocked]: { concern: 'censor', meaning: 'the censor blocked a statement' },
  [LOG_CODES.databaseUnreachable]: { concern: 'database', meaning: 'no connection to the database' },
  [LOG_CODES.queryNotEncrypted]: {
    concern: 'plaintext',
    meaning: 'encrypting a statement failed; acra-server forwards it as it came',
  },
  [LOG_CODES.expressionNotEncrypted]: {
    concern: 'plaintext',
    meaning: 'encrypting a value failed; acra-server forwards the statement as it came',
  },
};

/** What a code means, or undefined for codes that nobody here acts on. */
export function describeLogCode(code: number): LogCodeEntry | undefined {
  return ENTRIES[code as LogCode];
}
