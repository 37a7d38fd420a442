/** Error codes of everything that knows acra-server: running it, its encryptor configuration, its keystore. */
import type { ErrorCatalogue } from '../runtime/errors.ts';
import { CodedError } from '../runtime/errors.ts';

export const ACRA_ERRORS = {
  ACRA_OPTION_INVALID: {
    meaning: 'An option for acra-server has a value that acra-server would misread or ignore.',
    action: 'Change the value as the message says.',
  },
  ACRA_CERTIFICATE_INVALID: {
    meaning: 'A client certificate cannot be read, or acra-server would not derive a client id from it.',
    action: 'Issue a certificate with a subject of ordinary text attributes and a positive serial number.',
  },
  ACRA_CLIENT_ID_INVALID: {
    meaning: 'A client id does not have the form that acra-server accepts.',
    action: 'Use 5 to 243 letters, digits, dashes, underscores and spaces.',
  },
  ACRA_CONTAINER_INVALID: {
    meaning: 'Bytes that should be an Acra container have another form, or do not open with the key given.',
    action: 'Check that the value was written with keys of this keystore and has not been changed.',
  },
  ACRA_EXIT_REQUESTED: { meaning: 'acra-server ended because it was told to.', action: 'Nothing.' },
  ACRA_EXIT_POISON_RECORD: {
    meaning: 'acra-server read a poison record from the database and shut itself down: data is being copied out.',
    action: 'Treat it as a break-in: find who reads whole tables, then start the enclave again by hand.',
  },
  ACRA_EXIT_CONFIGURATION: {
    meaning: 'acra-server refused its configuration, transport or keystore, and will refuse it again.',
    action: 'Read its log records just before the exit; mend the file that they name and build the image again.',
  },
  ACRA_EXIT_WITHOUT_ERROR: {
    meaning:
      'acra-server ended by itself with code 0, as it does when it cannot listen on its address or misses an option.',
    action: 'Check that nothing else uses its address and that no old unix socket file lies there.',
  },
  ACRA_EXIT_FAILURE: {
    meaning: 'acra-server ended by itself with code 1.',
    action: 'Read its log records just before the exit.',
  },
  ACRA_EXIT_CRASH: {
    meaning:
      'acra-server crashed: with code 2 for a Go panic, for no memory left or for an option that it does not know, or by a signal such as SIGSEGV.',
    action: 'Look for the panic among its log records; raise the memory limit when it says out of memory.',
  },
  ACRA_EXIT_UNRESPONSIVE: {
    meaning: 'acra-server was killed by the supervisor, because it ran but accepted no connection (CHILD_DEAF).',
    action: 'Nothing at once; if it recurs, look at its load, and at its limits of open files and memory.',
  },
  ACRA_EXIT_LOG_PIPE: {
    meaning: 'acra-server ended because nobody read its log.',
    action: 'Report it: the reader of its log must live as long as acra-server does.',
  },
  ACRA_EXIT_TERMINATED: {
    meaning: 'acra-server was ended by SIGTERM that the supervisor had not sent.',
    action: 'Find who sent the signal.',
  },
  ACRA_EXIT_KILLED: {
    meaning: 'acra-server was killed by a signal, most often because the machine ran out of memory.',
    action: 'Compare its memory limit with the memory of the enclave.',
  },
  ACRA_EXIT_NOT_EXECUTED: {
    meaning: 'The launcher could not start the acra-server program.',
    action: 'Check that the program exists, is executable and fits this machine.',
  },
  ACRA_EXIT_UNKNOWN: {
    meaning: 'acra-server ended with a code that it is not known to use.',
    action: 'Read its log records just before the exit.',
  },
  ACRA_PROGRAM_UNUSABLE: {
    meaning: 'The acra-server program that was named is missing, is no file or is not executable.',
    action: 'Let ACRA_SERVER name the program itself, or unset it.',
  },
  ACRA_CACHE_CHANGED: {
    meaning: 'The cached acra-server is not the one that was recorded in its lock file.',
    action: 'Remove the cached folder and run `acra-enclave acra pull`; find out who changed it.',
  },
  ACRA_LOCK_INVALID: {
    meaning: 'The lock file of the cached acra-server cannot be read.',
    action: 'Remove the cached folder and its lock file and run `acra-enclave acra pull`.',
  },
  ACRA_IMAGE_CHANGED: {
    meaning: 'The registry now gives another image under the same name than the one recorded in the lock file.',
    action: 'Find out why; remove the lock file only if the new image is the one you want.',
  },
  ACRA_IMAGE_DIGEST: {
    meaning:
      'The image that the registry gives has another digest than the one that was asked for; nothing was unpacked.',
    action:
      'Check where the digest is from. It is of the manifest (`docker pull` prints it) or of the configuration (`docker image inspect` calls it Id); of docker only the latter can be compared here.',
  },
  ACRA_IMAGE_INVALID: {
    meaning: 'The container image is damaged, is built otherwise than expected, or tries to write outside its folder.',
    action: 'Pull again; if it stays so, do not trust the registry or the network.',
  },
  ACRA_IMAGE_ARCHITECTURE: {
    meaning: 'The acra-server in the image is built for another processor.',
    action: 'Pull on a machine of the same architecture.',
  },
  ACRA_PULL_TOOL_MISSING: {
    meaning: 'None of skopeo, podman and docker was found.',
    action: 'Install one of them, or let ACRA_SERVER name an acra-server 0.96.0 that you have.',
  },
  ACRA_PULL_FAILED: {
    meaning: 'The tool that was to fetch the image failed.',
    action: 'Read its message; check the network and the proxy settings.',
  },
} as const satisfies ErrorCatalogue;

export const ENGINE_ERRORS = {
  ENGINE_BUSY: {
    meaning: 'More values wait for acra-server than may be held for one identity.',
    action: 'Try again later; send fewer or smaller values at once.',
  },
  ENGINE_LOST: {
    meaning: 'acra-server ended, or did not answer in time, each time that it was asked about a value.',
    action: 'Read its log records; a value that makes it end is not given to it again.',
  },
  ENGINE_STOPPED: {
    meaning: 'The engine was told to stop before a value was answered.',
    action: 'Nothing: the value was neither sent nor stored.',
  },
  ENGINE_TOKEN_MISSING: {
    meaning:
      'acra-server gave a value of a tokenized column back as it was: Redis cannot be reached, or no token of that length is left that has not been given away.',
    action:
      'Nothing was sent. Read its log records just before; docs/tokens.md says how many tokens there are of what length.',
  },
  ENGINE_TOKEN_UNKNOWN: {
    meaning:
      'acra-server gave what is stored in a tokenized column back as it was: Redis cannot be reached, has lost the token, or it never was one of this client.',
    action: 'Look at Redis. Whoever may see tokens reads the column with acra_enclave.protected=stored.',
  },
  ENGINE_UNPROTECTED: {
    meaning: 'What acra-server made of a value is not a container of the kind that its column asks for.',
    action: 'Nothing was sent. Read its log records just before: a key that is missing is the usual reason.',
  },
  ENGINE_VALUE_FOREIGN: {
    meaning:
      'A value looks like a container, and does not open under the keys of this identity; acra-server would let it pass as it is.',
    action: 'Send the plaintext, or a container of this identity.',
  },
  ENGINE_VALUE_INVALID: {
    meaning: 'A value does not have the binary form of its column: four bytes for int32, eight for int64.',
    action: 'Send a number that fits the column.',
  },
  ENGINE_VALUE_TOO_LARGE: {
    meaning: 'A value is larger than the engine may be asked about.',
    action:
      'Send smaller values, or raise the limit together with the memory of acra-server, which needs seven times the value.',
  },
  ENGINE_REFUSED: {
    meaning: 'acra-server answered a value with an error, as response_on_fail asks for where it does not decrypt.',
    action: 'Check that the value was written with keys of this identity; change response_on_fail to read it as it is.',
  },
} as const satisfies ErrorCatalogue;

/** About one value, never the value itself. */
export class EngineError extends CodedError<keyof typeof ENGINE_ERRORS> {}

export class AcraError extends CodedError<keyof typeof ACRA_ERRORS> {}

export const KEYSTORE_ERRORS = {
  KEYSTORE_MASTER_KEY_LENGTH: {
    meaning: 'The master key does not have exactly 32 bytes; acra-server would accept longer ones silently.',
    action: 'Make a key with `acra-enclave keys new`; encrypt the raw 32 bytes, not their base64 form.',
  },
  KEYSTORE_MISSING: {
    meaning: 'The keystore folder does not exist, is no folder or cannot be read.',
    action: 'Check the path; make a keystore with `acra-enclave keys new`.',
  },
  KEYSTORE_EMPTY: {
    meaning: 'The keystore holds no key; acra-server would start with any master key.',
    action: 'Make a keystore with `acra-enclave keys new`.',
  },
  KEYSTORE_EXISTS: {
    meaning: 'The folder for the new keystore exists already; making one there would make old data unreadable.',
    action: 'Choose another folder, or move the old keystore away first.',
  },
  KEYSTORE_WRITE: {
    meaning: 'The new keystore could not be written; nothing was left behind.',
    action: 'Check that the parent folder exists, is writable and has room.',
  },
  KEYSTORE_KEY_IDS: {
    meaning:
      'No new key could be made whose id, as stored values name it, no other key has; which values are under an old key could not be told.',
    action: 'Drop old keys that nothing is under any more (`acra-enclave keys forget-old`).',
  },
  KEYSTORE_FILE_UNKNOWN: {
    meaning:
      'The keystore holds something that is no key of keystore v1; acra-server would refuse to start or ignore it.',
    action: 'Remove the file that the message names.',
  },
  KEYSTORE_PERMISSION: {
    meaning: 'A folder or file of the keystore has other permissions than acra-server wants.',
    action: 'Folders 0700, private files 0600 or less, public files not writable by others.',
  },
  KEYSTORE_FOREIGN: {
    meaning: 'No private file opens with this master key: keystore and master key do not belong together.',
    action: 'Use the keystore that was made with this key, or the key that made this keystore.',
  },
  KEYSTORE_FILE_DAMAGED: {
    meaning:
      'A private file does not open with the master key although others do, or is no sealed file at all: it is damaged or was swapped.',
    action: 'Restore the file that the message names from a copy.',
  },
  KEYSTORE_KEY_INVALID: {
    meaning: 'A file opens, or is public, but holds no key of the kind that its name says.',
    action: 'Restore the file that the message names from a copy.',
  },
  KEYSTORE_PAIR_MISMATCH: {
    meaning:
      'A public key does not belong to its private key: data encrypted to it would be readable by somebody else.',
    action: 'Treat it as tampering; restore both files from a copy.',
  },
  KEYSTORE_KEY_MISSING: {
    meaning:
      'A key that the encryptor configuration needs is not in the keystore, or a client that enclave.yaml names under `database.users` has none there.',
    action:
      'Add the keys of the client that the message names (`acra-enclave keys add-client`), or correct its id or its name.',
  },
  KEYSTORE_SEALED_FILE: {
    meaning: 'A file sealed under the master key cannot be read or does not open with this key and context.',
    action: 'Seal the file again with this master key.',
  },
  KEYSTORE_NOTHING_TO_SEAL: {
    meaning: 'What was to be sealed under the master key is empty.',
    action: 'Check that the file with the secret is the right one.',
  },
  KEYSTORE_CHECK_FAILED: {
    meaning: 'The short-lived process that changes the keystore ended without a usable answer.',
    action: 'Read the message; report it if it stays so.',
  },
  KEYSTORE_CHECK_TIMEOUT: {
    meaning: 'The short-lived process that changes the keystore took too long.',
    action: 'Ask again; give the enclave more processors.',
  },
} as const satisfies ErrorCatalogue;

export class KeystoreError extends CodedError<keyof typeof KEYSTORE_ERRORS> {}

export const ENCRYPTOR_ERRORS = {
  ENCRYPTOR_FILE_READ: {
    meaning: 'The encryptor configuration cannot be read.',
    action: 'Check the path and the permissions.',
  },
  ENCRYPTOR_SYNTAX: {
    meaning:
      'The encryptor configuration is not valid YAML, or uses aliases, merge keys, tags, directives or several documents.',
    action: 'Mend the line that the message names.',
  },
  ENCRYPTOR_INVALID: {
    meaning: 'The encryptor configuration says something that acra-server would refuse, ignore or read otherwise.',
    action: 'Mend each finding; the message lists all of them with their lines.',
  },
  ENCRYPTOR_STAND_IN: {
    meaning:
      'The encryptor configuration asks for masking, AcraStructs or integers, and only the stand-in for acra-server is there.',
    action:
      'Fetch acra-server with `acra-enclave acra pull` or name one in ACRA_SERVER; or leave these settings out while trying things out.',
  },
} as const satisfies ErrorCatalogue;

export class EncryptorError extends CodedError<keyof typeof ENCRYPTOR_ERRORS> {}

export const CATALOGUE_ERRORS = {
  CATALOGUE_ANSWER: {
    meaning: 'What the database says of its own catalogue has not the form that PostgreSQL gives it.',
    action: 'Look at what is really behind this address; report it if it is PostgreSQL.',
  },
  CATALOGUE_TOO_LARGE: {
    meaning: 'The database has more relations, functions or dependencies than can be looked at.',
    action: 'Write the list by hand (`acra-enclave config schema guard-list`), with the relations that need it.',
  },
  CATALOGUE_VERSION: {
    meaning: 'The database is of a release of PostgreSQL whose catalogue is not known.',
    action: 'Use PostgreSQL 13 or newer, or write the list by hand.',
  },
} as const satisfies ErrorCatalogue;

/** Of what is read of a database's catalogue. */
export class CatalogueError extends CodedError<keyof typeof CATALOGUE_ERRORS> {}
