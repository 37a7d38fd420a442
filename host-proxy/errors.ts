/** Error codes of the daemon on the parent instance. */
import type { ErrorCatalogue } from '../runtime/errors.ts';
import { CodedError } from '../runtime/errors.ts';

export const HOST_PROXY_ERRORS = {
  HOST_ADMIN_BIND: {
    meaning: 'The port for /healthz, /readyz, /metrics and /status cannot be opened.',
    action: 'Choose a free port in host-proxy.yaml, `admin.listen`.',
  },
  HOST_CONTROL_BIND: {
    meaning: 'The private socket of the control connection cannot be made.',
    action: 'Make `runtimeFolder` in host-proxy.yaml a writable folder; only one host-proxy may use it.',
  },
  HOST_LOG_FILE: {
    meaning: 'The log file cannot be opened for appending.',
    action: 'Check `logs.file` in host-proxy.yaml and its permissions.',
  },
  HOST_RELAY_DIED: {
    meaning: 'The relay’s worker ended; nothing is forwarded any more, so the daemon stops.',
    action: 'Start host-proxy again (systemd does) and report the log record `relay.worker-died`.',
  },
} as const satisfies ErrorCatalogue;

export class HostProxyError extends CodedError<keyof typeof HOST_PROXY_ERRORS> {}
