/** Error codes of configuration and of the wire messages that both daemons share. */
import type { ErrorCatalogue } from '../runtime/errors.ts';
import { CodedError } from '../runtime/errors.ts';

export const CONFIG_ERRORS = {
  CONFIG_FILE_READ: {
    meaning: 'A configuration file, or a file that it names, cannot be read.',
    action: 'Check the path and the permissions; paths inside a configuration are relative to its folder.',
  },
  CONFIG_SYNTAX: { meaning: 'The file is not valid YAML.', action: 'Mend the line that the message names.' },
  CONFIG_INVALID: {
    meaning: 'The file has unknown keys, missing keys or values outside what is allowed; every one is listed.',
    action: 'Change each listed path; `acra-enclave config schema` prints the whole schema.',
  },
  CONFIG_NUMBER_RANGE: {
    meaning: 'A CID, port or PCR index is out of range.',
    action: 'Use a number in the range shown.',
  },
  CONFIG_ENDPOINT: {
    meaning: 'An address is not one of the forms tcp://, unix://, vsock://, vsock-uds:// or vsock-uds-guest://.',
    action: 'Write the address in one of the forms shown.',
  },
  MASTER_KEY_FILE_INVALID: {
    meaning: 'The file with the master key’s KMS ciphertext is not of the form that `keys new` writes.',
    action:
      'Restore it, or make new keys with `acra-enclave keys new` (data under the old key stays unreadable without it).',
  },
  MASTER_KEY_FILE_DAMAGED: {
    meaning: 'The master key’s ciphertext was changed after `keys new` wrote it.',
    action: 'Restore the file from a copy and build the image again.',
  },
  MASTER_KEY_OTHER_KEY: {
    meaning: 'The master key was encrypted under another KMS key than `kms.keyArn` names.',
    action: 'Name that key, or make new keys under this one.',
  },
  MASTER_KEY_OTHER_CONTEXT: {
    meaning: 'The master key was encrypted under another encryption context than `kms.encryptionContext`.',
    action: 'Restore the context in enclave.yaml; KMS decrypts under no other.',
  },
  WIRE_FRAME_TOO_LARGE: {
    meaning: 'A control message is longer than its limit; the peer is broken or hostile.',
    action: 'Check that both ends run the same release.',
  },
  WIRE_MESSAGE_INVALID: {
    meaning: 'A control message is not valid JSON or not of a known shape.',
    action: 'Check that both ends run the same release.',
  },
} as const satisfies ErrorCatalogue;

export class ConfigError extends CodedError<keyof typeof CONFIG_ERRORS> {}
