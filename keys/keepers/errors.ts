/** Error codes of who keeps data keys together with others: shares under KMS keys, shares of operators. */
import type { ErrorCatalogue } from '../../runtime/errors.ts';
import { CodedError } from '../../runtime/errors.ts';

export const KEEPER_ERRORS = {
  KEY_SHARES_REFUSED: {
    meaning:
      'So many of the KMS keys refuse their share of the data key (denied, disabled, gone) that those that are left are too few.',
    action:
      'Enable the keys, or put the measurements of this enclave back into their key policies; if it was meant: nothing, the enclave is revoked.',
  },
  KEY_SHARES_UNAVAILABLE: {
    meaning:
      'Too few of the KMS keys gave their share of the data key; the message names each that did not, and its code.',
    action:
      'It is tried again. Look up the codes: outages end by themselves, a share that is wrong does not (restore the key set from a copy).',
  },
  KEY_SHARES_AWAITED: {
    meaning:
      'The key set is held by operators, and fewer of them than are needed have loaded their shares since the enclave started.',
    action: 'Let further operators of those that the message names load theirs: `acra-enclave keys load`.',
  },
  KEY_SHARE_WRONG: {
    meaning: 'A share is not the one whose hash stands in the key set. It does not count.',
    action: 'Load the share of this key set; where the key set itself was damaged, restore it from a copy.',
  },
  KEY_SHARE_UNEXPECTED: {
    meaning: 'A share was loaded for another key set than the enclave waits with, or by somebody who has none in it.',
    action: 'Make it again with the key set that the enclave was brought: `acra-enclave keys load`.',
  },
  KEY_SHARE_INVALID: {
    meaning: 'What was sent as an operator’s share is none.',
    action: 'Make it with `acra-enclave keys load` of the same release.',
  },
  KEY_SHARE_UNSEALABLE: {
    meaning: 'A share was encrypted for another enclave, boot or key set, or was changed.',
    action: 'Make it again with `acra-enclave keys load`; each start of the enclave has a key of its own.',
  },
  KEY_SHARE_OTHER_RECIPIENT: {
    meaning: 'The key set has no share that is encrypted to this private key.',
    action: 'Name the private key whose public half stood in enclave.yaml (`encryptionKey`) when the key set was made.',
  },
  KEY_OPERATOR_KEY_INVALID: {
    meaning: 'The file does not hold the X25519 key of an operator.',
    action:
      'Make a pair: `openssl genpkey -algorithm X25519 -out FILE`, `openssl pkey -in FILE -pubout -out FILE.pub`. It is another key than the one that signs.',
  },
  KEY_OPERATOR_KEY_ENCRYPTED: {
    meaning: 'An operator’s private key and the passphrase do not fit together.',
    action: 'Give the passphrase of an encrypted key by `--passphrase-file`, and none with one that is not encrypted.',
  },
} as const satisfies ErrorCatalogue;

export class KeeperError extends CodedError<keyof typeof KEEPER_ERRORS> {}
