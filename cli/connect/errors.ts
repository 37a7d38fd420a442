/** Error codes of `acra-enclave connect`. Where a session is refused, its client gets the message with an SQLSTATE. */
import type { ErrorCatalogue } from '../../runtime/errors.ts';
import { CodedError } from '../../runtime/errors.ts';

export const CONNECT_ERRORS = {
  CONNECT_SOCKET_FOLDER: {
    meaning: 'The folder of the local socket is not private, can be replaced by others, or cannot be made.',
    action: 'Name a folder of your own with mode 700 by `--socket-dir`, below folders that others may not write into.',
  },
  CONNECT_SOCKET_BUSY: {
    meaning: 'Another process answers on the local socket, or a file that is no socket lies there.',
    action: 'End the other process, or name another folder by `--socket-dir`.',
  },
  CONNECT_LISTEN: {
    meaning: 'The local socket, or the local TCP port, cannot be opened.',
    action: 'Read the cause; choose another port or folder.',
  },
  CONNECT_CREDENTIALS: {
    meaning: 'The client’s certificate and private key cannot be used.',
    action:
      'Give the PEM files that this client logs in with; a key that is encrypted must be decrypted first (`openssl pkey`), to a file of mode 600.',
  },
  CONNECT_UNREACHABLE: {
    meaning: 'The enclave’s public port cannot be reached, or what answers there does not speak what is asked.',
    action: 'Check address and port, and that the enclave serves (`acra-enclave status` on the parent instance).',
  },
  CONNECT_NOT_VERIFIED: {
    meaning:
      'What answers is not the enclave that the measurements describe, or runs otherwise than is demanded. No byte of a session was sent.',
    action: 'Run `acra-enclave verify` with the same options: it tells every claim.',
  },
  CONNECT_KEY_CHANGED: {
    meaning:
      'A session would end at another TLS key than the enclave attests: somebody stands in between. No byte of it was sent, nor the client’s certificate.',
    action: 'Find out what lies between you and the enclave; a load balancer must pass TCP on, not end TLS.',
  },
} as const satisfies ErrorCatalogue;

export class ConnectError extends CodedError<keyof typeof CONNECT_ERRORS> {}
