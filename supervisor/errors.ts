/** Error codes of the supervisor: boot phases, children, launch. */
import type { ErrorCatalogue } from '../runtime/errors.ts';
import { CodedError } from '../runtime/errors.ts';

export const SUPERVISOR_ERRORS = {
  BOOT_DEADLINE: {
    meaning: 'A boot phase did not finish in its time; the message says which, and what it was waiting for.',
    action: 'Mend what it waited for (database, KMS, IMDS, host-proxy), or raise the phase’s deadline in enclave.yaml.',
  },
  BOOT_PHASE_FAILED: {
    meaning: 'A boot phase ended with an error that has no code of its own.',
    action: 'Read the cause in the log record `supervisor.failed`.',
  },
  BOOT_HEARTBEAT_UNANSWERED: {
    meaning: 'Nobody on the parent took the byte that tells that the enclave has booted.',
    action: 'Start the enclave with nitro-cli or `acra-enclave run`, which listen for it on vsock port 9000.',
  },
  BOOT_CERTIFICATE_MISSING: {
    meaning: 'The enclave has made its TLS key, and nobody has brought a certificate for it yet; the boot waits.',
    action:
      'Have the request of this boot signed by the CA of `tls.ca` with `acra-enclave certificate sign`, and bring the certificate with `acra-enclave certificate install`.',
  },
  BOOT_NO_APPLICATION: {
    meaning:
      'enclave.yaml says `workload: app`, and the image has no file system for it, or one whose folders the enclave cannot use.',
    action: 'Build the image with `acra-enclave eif build`, and give it the application.',
  },
  BOOT_RNG_NOT_NSM: {
    meaning: 'The kernel does not draw from the Nitro hardware generator.',
    action: 'Boot a kernel with the NSM driver built in; do not run on another machine.',
  },
  BOOT_CLOCK_UNTRUSTED: {
    meaning: 'No time source that the parent cannot steer gave a plausible time.',
    action: 'Check that the NSM answers attestation requests; never set the time from the parent.',
  },
  BOOT_TLS_KEY_UNKNOWN: {
    meaning: 'The server’s certificate cannot be read, so nobody could be told by which key to know the enclave.',
    action: 'Put a certificate in PEM where `acra.certificate` of enclave.yaml says, and build the image again.',
  },
  BOOT_COMMITMENT_TAKEN: {
    meaning:
      'PCR16 was extended or locked before the enclave committed to how it runs: somebody else used the security module.',
    action:
      'Start the enclave anew, from an image that `acra-enclave eif build` made; nothing else in it may extend PCR16.',
  },
  BOOT_COMMITMENT_FAILED: {
    meaning:
      'After the enclave had committed to how it runs, its security module shows another value, or not every register locked; nothing leaves such an enclave.',
    action: 'Check hypervisor and kernel; if it persists, treat the parent instance as hostile.',
  },
  REQUESTS_BIND: {
    meaning: 'The supervisor cannot listen for requests on the socket of its own folder.',
    action: 'Report it: nothing else in an enclave may use that folder.',
  },
  CLOCK_JUMPED: {
    meaning:
      'The hypervisor’s clock and the enclave’s are further apart than `health.maxClockJumpMs`; the enclave keeps its own time and is degraded until they agree.',
    action:
      'If the hypervisor’s time is right, start the enclave again: a boot takes it over. Else leave this machine.',
  },
  CLOCK_UNREAD: {
    meaning:
      'Three checks in a row could not read the hypervisor’s clock, so nobody can say that the enclave’s is right.',
    action: 'Look up the code in the log record `clock.unread`; if it persists, start the enclave again.',
  },
  BOOT_DATABASE_UNREACHABLE: {
    meaning: 'The probe through acra-server did not reach the database; it is retried until the phase’s deadline.',
    action: 'Check that the database is up and that host-proxy’s `database.connect` names it.',
  },
  BOOT_DATABASE_NO_TLS: {
    meaning: 'The database answered that it does not speak TLS; nothing is sent to it in clear.',
    action: 'Switch TLS on in the database (`ssl = on`, and `hostssl` lines in pg_hba.conf).',
  },
  BOOT_DATABASE_TLS_FAILED: {
    meaning: 'The database began to speak TLS, and the handshake broke off; it is retried.',
    action: 'See the reason: versions and ciphers of both ends (TLS 1.2 at least), or somebody between them.',
  },
  BOOT_DATABASE_UNTRUSTED: {
    meaning:
      'The database’s certificate is not of the measured CA, not for the measured name, or of a kind that acra-server refuses; what is wrong is told.',
    action:
      'Check `database.ca` and `database.serverName` in enclave.yaml; the name must be a subject alternative name of the certificate, not its CN alone (docs/specs/acra-server.md, 12). RDS Proxy has another CA than RDS (docs/database-login.md, “Databases of AWS”). Else somebody stands between.',
  },
  SUPERVISOR_PANIC: {
    meaning: 'The supervisor met an error that nothing was prepared for; it ended the enclave.',
    action: 'Report the log record `supervisor.panic`; the enclave is started again by the policy in host-proxy.yaml.',
  },
  SUPERVISOR_HELD: {
    meaning:
      'The supervisor’s thread was held for a minute, so that nothing could have revoked or stopped it; its watchdog ended the enclave.',
    action:
      'Report it with what came before; the enclave is started again by the policy in host-proxy.yaml. Something outside may have sent what takes for ever to read.',
  },
  CREDENTIALS_UNAVAILABLE: {
    meaning:
      'No role credentials came from the instance metadata service; it is asked again until the phase’s deadline.',
    action: 'Give the instance a role, require IMDSv2 and set its hop limit so that host-proxy can reach it.',
  },
  KEYS_NOT_EXCHANGED: {
    meaning:
      'What serves sessions could not go over to the keys of a key set that was brought; those that it had go on, and no session has ended.',
    action:
      'Act on what was found, most often why an acra-server does not start with them (`child.exited`, `acra.log`), then bring the key set again. Keep it: clients that had gone over already may have written under new data keys of it, and read that when it is taken.',
  },
  KEYS_EXCHANGED_IN_PART: {
    meaning:
      'Some of what serves sessions uses the keys of a new key set, the rest those of before, and cannot go back.',
    action: 'Start the enclave again: a boot takes the key set as a whole.',
  },
  CHILD_LAUNCH_FAILED: {
    meaning:
      'acra-server could not be executed; the message says why. One that ran and ended before it listened has a code ACRA_EXIT_….',
    action: 'Check that the program exists, is executable, fits this processor and has its libraries.',
  },
  CHILD_BREAKER_OPEN: {
    meaning: 'acra-server ended too often in a short time; it is tried once a minute until it stays up.',
    action:
      'Read why it ends (`child.exited`, `acra.log`) and who connects at those moments; nothing need be restarted.',
  },
  CHILD_CONFINEMENT_TAKEN: {
    meaning: 'Two programs in the enclave were to have the same user, folder and bounds.',
    action: 'This is a defect: report it.',
  },
  CHILD_DEAF: {
    meaning: 'acra-server runs but accepts no connections; after three probes it is killed and started again.',
    action: 'Nothing at once; if it recurs, look at limits of open files and memory.',
  },
  CHILD_NOT_RESTARTED: {
    meaning:
      'acra-server ended in a way that a restart must not answer (a poison record, a configuration that cannot work).',
    action: 'Act on the code in the message, then start the enclave again.',
  },
  CHILD_PROGRAM_ENDED: {
    meaning:
      'The front, which ends clients’ TLS, or the guard of one client’s sessions ended by itself; it is started again at once.',
    action:
      'Nothing at once: sessions that passed through it have ended, others have not. If it recurs, report it with its records `child.output`.',
  },
  CHILD_SECRETS_NOT_TAKEN: {
    meaning: 'The guard of one client’s sessions was given other secrets of database users, and did not take them.',
    action: 'Read its log records (`guard.secrets-refused`, `child.output`), then bring the key set again.',
  },
  CHILD_TOKEN_DENIED: {
    meaning:
      'The guard of one client’s sessions asked for a token of a database user that its certificate may not be; it got none.',
    action: 'Report it: a guard asks for users of its own identity only. Treat what talks to it as hostile until then.',
  },
  CHILD_TOKEN_RATE: {
    meaning:
      'The guard of one client’s sessions asked for more tokens of the database (`database.login: rds-iam`) than logins can be: it gets one for each session of `ingress.limits.maxSessionsPerClient` at once, and 200 a second. Those beyond get none.',
    action:
      'If its applications connect that often (`acra_enclave_guard_login_tokens_total`), give them a pool: RDS is not made for it either. If they do not, report it, and treat what talks to this guard as hostile until then.',
  },
  PROGRAM_ENDED: {
    meaning: 'A program of the application ended by itself; the message has its exit code.',
    action:
      'Read what it printed (log records `program.output`). With `restart: always` it is started again; with `never` the enclave ends.',
  },
  PROGRAM_KILLED: {
    meaning: 'A signal ended a program of the application; the message names it.',
    action:
      'SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT are faults of the program: read what it printed (`program.output`).',
  },
  PROGRAM_NOT_READY: {
    meaning: 'A program of the application runs, and its probe gets no good answer.',
    action: 'Check `probe` in enclave.yaml against where the program listens, and what it printed (`program.output`).',
  },
  PROGRAM_OUT_OF_MEMORY: {
    meaning: 'The kernel ended a program of the application, for it took more memory than `maxMemoryMiB` allows.',
    action: 'Raise `maxMemoryMiB` of the program in enclave.yaml, and the memory of the enclave with it.',
  },
  PROGRAM_TASK_FAILED: {
    meaning: 'A task of the application did not end with 0 in its time; what comes after it was not started.',
    action: 'Read what it printed (`program.output`); `readyMs` in enclave.yaml is its time.',
  },
  CHILD_NOT_READY: {
    meaning: 'acra-server runs but did not answer its readiness probe in time.',
    action: 'Read its log records (`acra.log`).',
  },
} as const satisfies ErrorCatalogue;

export class SupervisorError extends CodedError<keyof typeof SUPERVISOR_ERRORS> {}
