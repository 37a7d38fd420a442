/** Error codes of the sealed master key and what is made with it. */
import type { ErrorCatalogue } from '../runtime/errors.ts';
import { CodedError } from '../runtime/errors.ts';

export const KEY_ERRORS = {
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
    action:
      'Name that key in `kms.keyArn`; of a multi-Region key (mrk-…) a replica will do. Do not make new keys in its place: data under the old master key would stay unreadable. Moving to another KMS key means to encrypt the same master key under it.',
  },
  MASTER_KEY_OTHER_CONTEXT: {
    meaning: 'The master key was encrypted under another encryption context than `kms.encryptionContext`.',
    action: 'Restore the context in enclave.yaml; KMS decrypts under no other.',
  },
} as const satisfies ErrorCatalogue;

export class KeyError extends CodedError<keyof typeof KEY_ERRORS> {}
