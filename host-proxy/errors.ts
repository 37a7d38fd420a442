/** Error codes of the daemon on the parent instance. */
import type { ErrorCatalogue } from '../runtime/errors.ts';
import { CodedError } from '../runtime/errors.ts';

export const HOST_PROXY_ERRORS = {
  HOST_ADMIN_BIND: {
    meaning: 'The port for /healthz, /readyz, /metrics and /status cannot be opened.',
    action: 'Choose a free port in host-proxy.yaml, `admin.listen`.',
  },
  HOST_ALREADY_RUNNING: {
    meaning: 'Another `acra-enclave run` or `acra-enclave host-proxy` uses the same `runtimeFolder`.',
    action: 'See it with `acra-enclave status`; a second enclave needs its own host-proxy.yaml and folder.',
  },
  HOST_ATTESTATION_BIND: {
    meaning: 'The port where anybody may ask what the enclave is cannot be opened.',
    action: 'Choose a free port in host-proxy.yaml, `attestation.listen`, or leave the section out.',
  },
  HOST_ATTESTATION_METHOD: {
    meaning: 'Somebody asked for an attestation document by another HTTP method.',
    action: 'Ask with GET (docs/specs/attestation-requests.md).',
  },
  HOST_ATTESTATION_PATH: {
    meaning: 'Somebody asked the port for attestation documents for something else.',
    action: 'Ask for /v1/attestation?nonce=… (docs/specs/attestation-requests.md).',
  },
  HOST_ATTESTATION_RATE: {
    meaning: 'One address, or all together, asked for more attestation documents than are made.',
    action:
      'Ask again after a second. Operators: `attestation.maxPerSecond…` in host-proxy.yaml; the enclave has limits of its own.',
  },
  HOST_ATTESTATION_REQUEST: {
    meaning: 'A request for an attestation document has no nonce of 16 to 64 bytes in hexadecimal, several, or a body.',
    action: 'Ask for /v1/attestation?nonce=… with 32 to 128 hexadecimal digits that nobody could know before.',
  },
  HOST_ATTESTATION_UNANSWERED: {
    meaning:
      'The enclave did not answer a request: it does not run, has not committed yet, or its security module does not answer.',
    action: 'See `acra-enclave status`; then ask again.',
  },
  HOST_COMMAND_BIND: {
    meaning: 'The private socket for the commands stop, status, logs and console cannot be made.',
    action: 'Make `runtimeFolder` in host-proxy.yaml a writable folder.',
  },
  HOST_COMMAND_BROKEN: {
    meaning: 'The daemon’s answer to a command broke off, or has a form that this release does not know.',
    action: 'Ask again; if it goes on, check that daemon and command are of the same release.',
  },
  HOST_COMMAND_FORBIDDEN: {
    meaning: 'The daemon belongs to another user.',
    action: 'Run the command as the same user, or as root.',
  },
  HOST_CONTROL_BIND: {
    meaning: 'The private socket of the control connection cannot be made.',
    action: 'Make `runtimeFolder` in host-proxy.yaml a writable folder; only one host-proxy may use it.',
  },
  HOST_DOCTOR_PROBE: {
    meaning: 'What `acra-enclave doctor` asked of a server or of the kernel had no answer that can be read.',
    action: 'See the check that says so: it names the address and what to look at.',
  },
  HOST_EGRESS_BIND: {
    meaning: 'The private socket where requests for HTTP egress come in cannot be made.',
    action: 'Make `runtimeFolder` in host-proxy.yaml a writable folder; only one host-proxy may use it.',
  },
  HOST_ENCLAVE_NOT_RUN_HERE: {
    meaning: '`acra-enclave host-proxy` answers, which forwards for an enclave that something else has started.',
    action:
      'Stop the enclave, or look at its console, with what started it (`nitro-cli terminate-enclave`, `nitro-cli console`); a signal ends the daemon.',
  },
  HOST_ENCLAVE_UNHEARD: {
    meaning:
      'Nothing is heard from the enclave: none has reported since the daemon began, or the one that did has fallen silent.',
    action:
      'Check that the enclave runs (`nitro-cli describe-enclaves`), that `enclave.cid` and `ports.control` are the ones it has, and the last records of `acra-enclave logs`.',
  },
  HOST_HEALTH_BIND: {
    meaning: 'The port where load balancers ask for /readyz and /healthz cannot be opened.',
    action: 'Choose an address of this instance and a free port in host-proxy.yaml, `health.listen`, or leave it out.',
  },
  HOST_KEYS_AUDIT: {
    meaning: 'The audit log of key operations cannot be written; what should have been recorded was not begun.',
    action: 'Free space on the disk, or check `audit.jsonl` in `keys.folder` and its permissions; then do it again.',
  },
  HOST_KEYS_DAMAGED: {
    meaning:
      'The folder of the newest key set does not hold that set, and an older one, which lacks what was added since, is not brought in its place.',
    action:
      'Restore both files of that folder from a copy (docs/keys.md). Only where there is none: move the folder out of `keys.folder`, and keep it; then the next older set is brought.',
  },
  HOST_KEYS_FOLDER: {
    meaning: 'The folder of the key sets cannot be made or read, or others than its owner may enter it.',
    action: 'Give `keys.folder` of host-proxy.yaml to the daemon’s user with mode 0700.',
  },
  HOST_KEYS_MISSING: {
    meaning: 'The enclave waits for a key set, and the folder holds none that is whole.',
    action:
      'Restore key set and transcript from a copy into `keys.folder` (docs/keys.md), or, for an enclave that never had keys, hold a ceremony: `acra-enclave keys ceremony`.',
  },
  HOST_KEYS_NOT_ON_DISK: {
    meaning:
      'The enclave works with a key set that is not in `keys.folder`: when it ends, nobody could bring this set to the next one.',
    action:
      'Restore the set of that generation from a copy into `keys.folder`, before the enclave ends (docs/keys.md). Do not stop it until then.',
  },
  HOST_KEYS_NOT_TAKEN: {
    meaning:
      'The newest key set on disk is not the one that the enclave works with; a change would be made from an older one.',
    action:
      'See `acra-enclave keys status` for why the enclave has not taken it. A set that it never will take is moved out of `keys.folder` by hand, and kept.',
  },
  HOST_KEYS_UNCONFIGURED: {
    meaning: 'The enclave takes its keys from the parent instance, and host-proxy.yaml does not say where they are.',
    action: 'Name a folder under `keys.folder` of host-proxy.yaml, and start the daemon again.',
  },
  HOST_KEYS_WRITE: {
    meaning: 'A key set that the enclave made could not be written to disk, and was not brought to it.',
    action:
      'Free space on the disk, or check `keys.folder` and its permissions; then make the request again. The keys in use have not changed.',
  },
  HOST_LOG_FILE: {
    meaning: 'The log file cannot be opened for appending.',
    action: 'Check `logs.file` in host-proxy.yaml and its permissions.',
  },
  HOST_NOT_RUNNING: {
    meaning: 'No `acra-enclave run` or `acra-enclave host-proxy` answers in the runtime folder.',
    action:
      'Start it (`systemctl start acra-enclave`), or name its host-proxy.yaml with --config: its `runtimeFolder` is where it is asked.',
  },
  HOST_RELAY_DIED: {
    meaning: 'The relay’s worker ended; nothing is forwarded any more, so the daemon stops.',
    action: 'Start host-proxy again (systemd does) and report the log record `relay.worker-died`.',
  },
  HOST_ROUTE_UNCONFIGURED: {
    meaning: 'The route table has a route that host-proxy.yaml gives no address on the parent.',
    action: 'Add the section that the message names to host-proxy.yaml.',
  },
  HOST_RUN_MISSING: {
    meaning: 'host-proxy.yaml has no section `enclave.run`, which says how to start the enclave.',
    action: 'Add it, or use `acra-enclave host-proxy`, which forwards but starts no enclave.',
  },
  HOST_RUNTIME_FOLDER: {
    meaning: 'Others than its owner may enter `runtimeFolder`, or it is another user’s.',
    action: 'Give it to the daemon’s user with mode 0700 (systemd: RuntimeDirectoryMode=0700).',
  },
} as const satisfies ErrorCatalogue;

export class HostProxyError extends CodedError<keyof typeof HOST_PROXY_ERRORS> {}
