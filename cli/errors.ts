/** Error codes of the command line. */
import type { ErrorCatalogue } from '../runtime/errors.ts';
import { CodedError } from '../runtime/errors.ts';

export const CLI_ERRORS = {
  CLI_NOT_AN_ENCLAVE: {
    meaning: 'The supervisor was started outside an enclave without being told to simulate one.',
    action: 'Add `--simulated STATE_FOLDER` on a laptop; in an enclave the image starts it.',
  },
  CLI_OPTION: { meaning: 'An option has a value that is not allowed.', action: 'See `--help` of the command.' },
  CLI_USAGE: {
    meaning:
      'The command line is not one that the command knows: an option, argument or command is missing or unknown.',
    action: 'See `--help` of the command.',
  },
  CLI_PROCESS_ENDED: {
    meaning: 'A process that the demo started ended by itself.',
    action: 'Read its log; the message names the file.',
  },
  CLI_NOT_READY: {
    meaning: 'The enclave did not become ready in time.',
    action: 'Read the reason in the message, and the log files that it names.',
  },
  CLI_DATABASE: {
    meaning: 'The database cannot be connected to, refuses the login, or does not answer as it should.',
    action:
      'Read the reason; name the address by `--host` and `--port`, the password in PGPASSWORD or by `--password-file`. The certificate must be the one that enclave.yaml expects.',
  },
  CLI_GUARD_LIST: {
    meaning: 'The list of what may receive values cannot be written.',
    action:
      'Check the folder; a file that is no such list is never overwritten: name another in `guard.list` of enclave.yaml.',
  },
  CLI_DATA_DIFFERS: {
    meaning:
      'A value that was encrypted reads otherwise than it was before. Nothing of that batch was kept, and no switch made.',
    action:
      'Compare how the two columns are configured, and the type of the column; look at that row. The message names its key.',
  },
  CLI_DATA_AS_STORED: {
    meaning:
      'The enclave does not know the setting acra_enclave.protected, without which nothing can be proved: it is too old, ends TLS in acra-server, or is no enclave.',
    action: 'Build and roll out an image of this release, or correct --host and --port.',
  },
  CLI_DATA_OTHER_KEY: {
    meaning:
      'The enclave behind the port encrypts with another key than --key-ids calls current: it runs with another keystore. One value at most was written with it.',
    action:
      'Roll the image with the new keystore out to every enclave behind that port; print the ids of the keystore that it has (`acra-enclave keys ids`).',
  },
  CLI_DATA_ROWS: {
    meaning: 'So many rows cannot be encrypted that it is not the rows.',
    action: 'Look up the states that the message names in docs/refusals.md, and read the enclave’s log.',
  },
  CLI_DATA_REFUSED: {
    meaning: 'The database, or the enclave before it, refuses a statement of the command. What is filled stays.',
    action:
      'Look up the state that the message names (docs/refusals.md, PostgreSQL’s error codes): rights of the user, a table that somebody else changed, a setting; then run it again.',
  },
  CLI_DATA_LOCK: {
    meaning:
      'The switch was not made: the table was never free for as long as it takes, or rows changed too fast. What is filled stays.',
    action:
      'Look for long transactions (`pg_stat_activity`), raise `--lock-timeout` or `--switch-patience`, or choose a quieter hour; the same command goes on.',
  },
  CLI_DEMO_STEP: {
    meaning: 'A step of the demo did not hold.',
    action: 'Read what was found; the log files of the parts are kept in the folder that the message names.',
  },
  CLI_ATTESTATION_UNREACHABLE: {
    meaning: 'Who should attest cannot be reached, or does not answer in time.',
    action: 'Check address, port and firewall; ask again.',
  },
  CLI_ATTESTATION_REFUSED: {
    meaning: 'Who was asked gives no attestation: no such endpoint, too many questions, or the enclave is not ready.',
    action:
      'Read what it says. A public port attests where TLS ends in the enclave: with `ingress.tls: terminate`, or `tls: ended` on the port of an application. By HTTP host-proxy needs its section `attestation`.',
  },
  CLI_ATTESTATION_ANSWER: {
    meaning: 'What came back is no answer of an attestation endpoint.',
    action: 'Check the address; if it is right, treat who answered as hostile.',
  },
  CLI_KEYS_AT_PARENT: {
    meaning:
      'The keys of this enclave are made and changed in it, and the command, as it was given, makes them in the folder.',
    action: 'Use the command that the message names, where there is one; docs/keys.md has one for each change.',
  },
  CLI_KEYS_IN_IMAGE: {
    meaning:
      'The keys of this enclave lie in its image (`keys.source: image`), and the command is for keys that an enclave makes.',
    action: 'Use the command that the message names, and build the image again; or set `keys.source: parent`.',
  },
  CLI_KEYS_ANSWER: {
    meaning:
      'What came back over the parent is not what the enclave was asked for, although some enclave of this image made it.',
    action:
      'Treat the parent as hostile. Compare `acra-enclave keys list` and `keys audit verify` with what was asked, and keep both.',
  },
  CLI_KEYS_OTHER_SET: {
    meaning:
      'A key set is authentic, and not the one that the enclave works with: what it says of keys may be of older ones.',
    action:
      'Wait until `acra-enclave keys status` exits with 0, or name the set in use by --key-set. If the enclave has it and the parent shows another one, treat the parent as hostile.',
  },
  CLI_KEYS_AUDIT: {
    meaning: 'The audit log of key operations does not hold, or cannot be read.',
    action:
      'Keep the file, and look at the line that the message names: somebody changed the log, or lost a part of it. docs/keys.md says what follows from each.',
  },
  CLI_IMPORT_FOLDER: {
    meaning: 'The folder that `import` was told to write is there already, or cannot be made.',
    action: 'Name a new one with `--out`; nothing is ever overwritten, and nothing half-written is left.',
  },
  CLI_VERIFY_FILE: {
    meaning: 'A file or folder that `verify` was told to read or write cannot be used.',
    action:
      'Check the path that the message names, and who may read or write there. For `--out` name a new folder: files of others are never overwritten.',
  },
} as const satisfies ErrorCatalogue;

export class CliError extends CodedError<keyof typeof CLI_ERRORS> {}
