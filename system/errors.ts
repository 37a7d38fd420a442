/** Error codes of what the kernel refuses and of programs that are not there. */
import type { ErrorCatalogue } from '../runtime/errors.ts';
import { CodedError } from '../runtime/errors.ts';

export const SYSTEM_ERRORS = {
  BOOT_SYSTEM_CALL: {
    meaning:
      'The kernel refused what PID 1 must do (mount, loopback, limits, clock, entropy); the message says which call.',
    action: 'Boot a kernel with the options of eif/kernel/enclave-hardened.config.',
  },
  BOOT_RNG_NOT_RESEEDED: {
    meaning:
      'Node’s own random generator could not be seeded anew from the kernel’s, which had just taken bytes of the NSM.',
    action: 'Build the image with the Node that this release pins: its OpenSSL exports what is called.',
  },
  SYSTEM_LAUNCH_FAILED: {
    meaning: 'A program could not be started: no process could be made for it, or it could not be confined.',
    action: 'See the cause; if memory or processes have run out, raise the enclave’s memory.',
  },
  SYSTEM_CHANNEL: {
    meaning:
      'A program that the supervisor launched (front or guard) sent something on its channel that is no message, or read nothing of what it was told.',
    action: 'The program is ended and started again. If it happens again, report it with the log: it must not happen.',
  },
  SYSTEM_POLL: {
    meaning: 'The kernel refused to make, or to wait for, the set of sockets that the relay serves (epoll).',
    action: 'See the system error in the message; raise the limit of open files if it says that there are too many.',
  },
  SYSTEM_EXCHANGE: {
    meaning: 'Two folders could not change places in one step; both are as they were.',
    action: 'Check permissions. Some network file systems cannot do it (EINVAL): work in a copy on a local one.',
  },
  ENCLAVE_PROGRAM_MISSING: {
    meaning: 'A program that starts the enclave’s machine is not there.',
    action: 'Install it, or name its path in `enclave.run` of host-proxy.yaml.',
  },
} as const satisfies ErrorCatalogue;

export class SystemError extends CodedError<keyof typeof SYSTEM_ERRORS> {}
