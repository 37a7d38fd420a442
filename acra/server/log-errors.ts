/**
 * The `error` field of acra-server 0.96.0: of itself, Themis, the operating system, Go's TLS and X.509. What is constant, or holds
 * nothing but numbers, addresses, our own paths and names out of certificates, passes whole. Of errors that quote something else
 * at their end the beginning passes. All others are withheld. How the list was made: acra-server contract 3.9.
 */
import { RUNTIME_ERROR } from './log-crash.ts';

/** Of acra-server's own source. */
export const CONSTANT_ERRORS: ReadonlySet<string> = new Set([
  'AcraStruct has incorrect TagBegin',
  'AcraStruct has incorrect data length value',
  'AcraStruct has incorrect length',
  'ClientSession contains invalid ProtocolState',
  'ErrEncryptorConfigStorageNotFound not found by storage type',
  'HMAC not match to data in AcraStruct',
  'KeyEncryptorFabric not found by strategy',
  '`tokenized` is disabled, but `token_type` is provided',
  '`tokenized` is provided without `token_type`',
  "acra-censor's config is outdated",
  'aliased table name already matched',
  'aliases table not matched',
  'array too big',
  "cache doesn't contain historical filenames",
  "can't add CA certificate",
  "can't cast column encryption settings",
  "can't correctly stop all background goroutines on main function level",
  "can't decode escaped string",
  "can't generate enough random data",
  "can't generate new random value, try count exceed",
  "can't generate random data encryption key",
  "can't stop background goroutine",
  "can't write exit signal to pipe",
  'cannot decrypt AcraStruct with empty key list',
  'configuration error',
  'data type not supported',
  'data_type can`t be used along with data_type_db_identifier option',
  'decryption error',
  'default_data_value used without data_type_id',
  'deny all queries error',
  'deny by pattern',
  'deny by query',
  'deny by table',
  'disabled token accessed',
  'empty TLS clientConfig',
  'empty encrypted data',
  'empty identifier',
  'empty table exprs',
  'empty verified certificates chain',
  'encryptor not specified',
  'error to collect settings for unknown table',
  'expected no directories in rotated keys folder',
  'fail to parse specified pattern',
  'fail to parse specified query',
  'format index out of range',
  'handler not found in registry',
  'handler with provided name already exist',
  'inconsistent placeholder usage',
  'incorrect serialized container format',
  'invalid AcraBlock',
  'invalid CryptoEnvelopeType',
  'invalid auth_type for TLS config',
  'invalid client ID',
  'invalid encryptor config',
  'invalid identifier extractor type',
  'invalid index value provided',
  'invalid internal container',
  'invalid packet, too short',
  'invalid placeholder value',
  'invalid string literal quotes',
  'invalid string, terminator not found',
  'invalid type of cursor',
  'invalid type of registered prepared statement',
  'invalid utf8 string',
  'key purpose not recognized',
  'keys not found',
  'keystore cache is not supported for keystore v2',
  'keystore folder has an incorrect permissions',
  "masking pattern can't be empty",
  'master key is empty',
  'more than 1 table without alias',
  'nil listener',
  'nil pending packet',
  'no cursor with given name',
  'no old container matched',
  'no peer tls certificate',
  'no prepared statement with given name',
  'no serialized container extracted',
  'not found table for alias',
  'not supported type of sql node',
  'old container matched',
  'only one db supported at one time',
  "peer certificate doesn't have DigitalSignature key usage or ClientAuth ExtKeyUsage values",
  'plaintext length cannot be negative',
  'plaintext side must be left of right',
  'prepared statement already store in registry',
  'prepared statement not present in registry',
  'private key directory not specified',
  'public key directory not specified',
  'read incorrect num of random bytes',
  'removing from empty pending list',
  'requested TokenType not match stored TokenType',
  'timeout',
  'token already exists',
  'token not found in storage',
  'token type not supported',
  'unexpected way to shutdown service',
  'unknown Bind packet format',
  'unknown token type',
  'unsupported Query type',
  'unsupported data_type_db_identifier option',
  'unsupported expression',
  'unsupported network Listener type',
  'unsupported pending packet type',
  'unsupported postgresql message type',
  "updateFunc didn't change data",
  'used CA certificate for authentication',
  'value has incorrect format (semver 2.0.0 format expected, https://semver.org/)',
  'wrong signal has been read from pipe',
]);

/** Of Themis (gothemis) and of Go's io, net, context and encoding. */
const LIBRARY_ERRORS: ReadonlySet<string> = new Set([
  'Secure Cell cannot allocate enough memory',
  'Secure Cell failed to decrypt',
  'Secure Cell failed to encrypt',
  'empty message for Secure Cell',
  'empty symmetric key for Secure Cell',
  'failed to decrypt message',
  'failed to encrypt message',
  'failed to get output size',
  'failed to process message',
  'failed to protect data',
  'failed to unprotect data',
  'EOF',
  'unexpected EOF',
  'short write',
  'short buffer',
  'context canceled',
  'context deadline exceeded',
  'use of closed network connection',
  'encoding/hex: odd length hex string',
  'file does not exist',
  'permission denied',
]);

const PATH = String.raw`[\w./@ -]{1,400}`;
const ADDRESS = String.raw`[\w.:[\]/@-]{1,200}`;
/** The system's words for an error number, and Go's for what it found itself. */
const WORDS = "[a-z][a-z'/ -]{0,100}";

const WHOLE: readonly RegExp[] = [
  RUNTIME_ERROR,
  /^tls: client requested unsupported application protocols \(\["postgresql"\]\)$/,
  /^master key must have 32 length in bytes$/,
  /^illegal base64 data at input byte \d{1,15}$/,
  /^incorrect read\/write count\. \d{1,15} != \d{1,15}$/,
  /^unexpected number of bytes in number: \d{1,15}$/,
  /^(syntax error|max nesting level reached|expecting value after next) at position \d{1,15}$/,
  new RegExp(`^private key file ${PATH} has incorrect permissions$`),
  /^((remote|local) error: )?tls: [\x20\x21\x23-\x7e]{1,300}$/,
  /^(tls: failed to verify (client )?certificate: )?x509: [\x20\x21\x23-\x7e]{1,300}$/,
  new RegExp(
    `^(dial|read|write|accept|listen|close|set) (tcp|unix)( ${ADDRESS}(->${ADDRESS})?)?: (${WORDS}: )?${WORDS}$`,
  ),
  new RegExp(`^dial tcp: lookup ${ADDRESS}( on ${ADDRESS})?: ${WORDS}$`),
  new RegExp(`^(open|stat|lstat|read|write|readdirent|remove) ${PATH}: ${WORDS}$`),
];

/** What follows quotes a value, a statement, what a peer offered or another error. */
const BEGINNINGS: readonly RegExp[] = [
  /^((remote|local) error: )?tls: [\x20\x21\x23-\x7e]{1,300}(?=")/,
  /^(tls: failed to verify (client )?certificate: )?x509: [\x20\x21\x23-\x7e]{1,300}(?=")/,
  /^encoding\/hex: invalid byte: /,
  /^strconv\.(Atoi|ParseInt|ParseUint|ParseFloat|ParseBool): parsing /,
  /^yaml: (unmarshal errors:\s+)?line \d{1,9}: /,
  /^invalid default value: /,
  /^masking configuration error: /,
  /^unknown action: /,
  /^unknown response_on_fail value: /,
  /^default data value is defined, but `response_on_fail` operation is not "default" /,
];

/** Before an error that is judged by itself. */
const WRAPPERS: readonly RegExp[] = [
  /^can't decrypt AcraBlock: /,
  /^can't read private key for matched client_id to (?:en|de)crypt (?:with )?Acra(?:Block|Struct): /,
  /^tls: failed to verify (?:client )?certificate: /,
  /^(?:Client-AcraServer|AcraServer-Database):/,
];

export interface KnownError {
  readonly text: string;
  readonly isWhole: boolean;
}

/** As much of an error as may be passed on; undefined when nothing of it may. */
export function knownError(text: string): KnownError | undefined {
  if (CONSTANT_ERRORS.has(text) || LIBRARY_ERRORS.has(text) || WHOLE.some((pattern) => pattern.test(text))) {
    return { text, isWhole: true };
  }
  for (const pattern of WRAPPERS) {
    const [wrapper] = pattern.exec(text) ?? [];
    if (wrapper === undefined) continue;
    const inner = knownError(text.slice(wrapper.length));
    return { text: `${wrapper}${inner?.text ?? '…'}`, isWhole: inner?.isWhole ?? false };
  }
  for (const pattern of BEGINNINGS) {
    const [beginning] = pattern.exec(text) ?? [];
    if (beginning !== undefined) return { text: `${beginning.trimEnd()} …`, isWhole: false };
  }
  return undefined;
}
