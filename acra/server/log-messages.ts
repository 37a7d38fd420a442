/**
 * The texts of acra-server 0.96.0's log that may leave the enclave. Some of its messages and many of its `error` and
 * other fields quote statements, literals, packet buffers or key bytes (acra-server contract 1.3, 3.6), and the parent
 * reads what we send. So a text passes only when it is listed here, and everything listed is a constant of the program
 * or holds nothing but process ids, our own paths, addresses, and names out of certificates.
 */

/** Messages that operators or we act on; all others are replaced, their level and code still pass. */
export const CONSTANT_MESSAGES: ReadonlySet<string> = new Set([
  // start
  'Validating service configuration...',
  'Encryptor configuration loaded',
  'Initialising keystore...',
  'Initializing default env ACRA_MASTER_KEY loader',
  'Cached keystore on start successfully',
  'Keystore init OK',
  'Configuring transport...',
  'Loaded TLS configuration',
  'Use sni',
  'Turned on poison record detection',
  'Turned on poison record callback that stops acra-server after poison record detection',
  'Initialize in-memory db storage for tokens',
  'Initialized in-memory db storage for tokens',
  'Initialized SQL query parser in default mode',
  'Disabling future logs... Set -v -d to see logs',
  // refusing to start
  "Can't parse args",
  "Can't parse config",
  'db_host is empty: you must specify db_host',
  "Can't load encryptor config",
  "Can't read config for encryptor",
  "Can't parse table schemas from config",
  "Can't configure database type",
  "Can't setup censor",
  "Can't open keyStore",
  "Can't init keystore",
  "Can't init keystore KeyEncryptor",
  'Cannot load master key',
  'ACRA_MASTER_KEY environment variable is not set',
  'Failed to decode ACRA_MASTER_KEY',
  'Failed to validate ACRA_MASTER_KEY',
  'Failed to cache keystore on start',
  'Cannot be configured static clientID',
  "Configuration error: can't create application TLS config",
  "Configuration error: can't create database TLS config",
  "Can't initialize TLS connection wrapper",
  "Can't start listen connections",
  // connections
  "Can't connect to db",
  'Error in tls handshake with client',
  "Can't initialize tls connection with db",
  "Can't process SSL request",
  'Network error',
  'Key found error',
  'Unexpected error',
  'Error occurred on accepting/handling connection',
  'Panic in connection processing, close connection',
  "Can't read data of packet",
  "Can't forward first packet",
  // data
  "Can't encrypt expression",
  "Can't update expression with encrypted sql value",
  'Error occurred on query handler',
  "Can't read private key for matched client_id",
  'Skip poison record check due to a lack of poison keys',
  'Recognized poison record',
  'Detected poison record, exit',
  'AcraCensor blocked query',
  'Unparsed query has been denied',
  'Failed to handle Bind packet',
  'Failed to update Bind packet',
  "Failed to handle Bind packet: can't find prepared statement",
  "Failed to handle Bind packet: can't extract parameters",
  // stop
  'Received incoming SIGTERM or SIGINT signal',
  "Couldn't stop all background goroutines spawned by main function. Exited by timeout",
  "Couldn't stop all background goroutines spawned by readerServer. Exited by timeout",
]);

const PATH = String.raw`[\w./@ -]{1,400}`;
const ADDRESS = String.raw`[\w.:[\]/@-]{1,200}`;
const WORDS = "[a-z][a-z' -]{0,100}";

const RUNTIME_ERROR = [
  'runtime error: (invalid memory address or nil pointer dereference',
  String.raw`(index|slice bounds) out of range [\w[\]: -]{1,80}`,
  'makeslice: (len|cap) out of range',
  'integer divide by zero)',
].join('|');

const VARIABLE_MESSAGES: readonly RegExp[] = [
  /^Starting service acra-server \[pid=\d{1,10}\]$/,
  /^Start listening to connections\. Current PID: \d{1,10}$/,
  /^Server graceful shutdown completed, bye PID: \d{1,10}$/,
  new RegExp(`^Load encryptor configuration from ${PATH} \\.\\.\\.$`),
  /^Keystore folder has an incorrect permissions [rwx-]{10}, expected: [rwx-]{10}$/,
  new RegExp(`^Private key file ${PATH} has incorrect permissions [rwx-]{10}, expected: [rwx-]{10}$`),
];

/** Values of the `error` field: of the operating system, TLS and the keystore. None of them quotes what a client sent. */
const ERRORS: readonly RegExp[] = [
  /^(unexpected )?EOF$/,
  /^failed to unprotect data$/,
  /^master key is empty$/,
  /^master key must have 32 length in bytes$/,
  /^illegal base64 data at input byte \d{1,6}$/,
  /^keystore folder has an incorrect permissions$/,
  new RegExp(`^private key file ${PATH} has incorrect permissions$`),
  /^key purpose not recognized$/,
  /^invalid encryptor config$/,
  /^fail to parse specified query$/,
  /^unsupported postgresql message type$/,
  new RegExp(`^${RUNTIME_ERROR}$`),
  /^(remote error: )?tls: [\x20-\x7e]{1,300}$/,
  /^(tls: failed to verify certificate: )?x509: [\x20-\x7e]{1,300}$/,
  new RegExp(`^(dial|read|write|accept|listen) (tcp|unix) ${ADDRESS}(->${ADDRESS})?: (${WORDS}: )?${WORDS}$`),
  new RegExp(`^(open|stat|lstat|read) ${PATH}: ${WORDS}$`),
];

/** What the Go runtime itself writes when it ends the process; arguments in stack frames are cut off. */
const CRASH_LINES: readonly RegExp[] = [
  new RegExp(`^(panic: ${RUNTIME_ERROR})`),
  /^(fatal error: [a-z][a-z :-]{0,100})$/,
  /^(runtime: out of memory: cannot allocate \d+-byte block)/,
  /^(\[signal SIG[A-Z]+: [a-z ]+)/,
  /^(SIG[A-Z]+: [a-z ]{1,40})$/,
  /^(goroutine \d+) .{0,200}\[[A-Za-z ()]{1,60}(?:, [a-z\d ]{1,40})*\]:$/,
  /^(created by [\w./()*-]{1,200})/,
  /^([\w./()*-]{1,200})\((?:0x[0-9a-f]+|[{}?, .]|\.\.\.)*\)$/,
  /^\t([\w./@-]{1,200}\.(?:go|s):\d{1,6})/,
];

/** The part of a line of a Go crash that may be passed on, or undefined when the line is none. */
export function knownCrashText(line: string): string | undefined {
  for (const pattern of CRASH_LINES) {
    const text = pattern.exec(line)?.[1];
    if (text !== undefined) return text;
  }
  return undefined;
}

export function isKnownMessage(text: string): boolean {
  return CONSTANT_MESSAGES.has(text) || VARIABLE_MESSAGES.some((pattern) => pattern.test(text));
}

export function isKnownError(text: string): boolean {
  return ERRORS.some((pattern) => pattern.test(text));
}
