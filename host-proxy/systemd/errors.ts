/** Error codes of the talk with the service manager. */
import type { ErrorCatalogue } from '../../runtime/errors.ts';
import { CodedError } from '../../runtime/errors.ts';

export const SYSTEMD_ERRORS = {
  SYSTEMD_ADDRESS: {
    meaning: 'NOTIFY_SOCKET is not the address of a unix socket, so the service manager cannot be told anything.',
    action: 'Let systemd set NOTIFY_SOCKET (Type=notify); outside a service, unset it.',
  },
  SYSTEMD_SEND: {
    meaning: 'The service manager could not be told that the service is ready; it would end it as never started.',
    action: 'Check that the unit has NotifyAccess=main and that its sandbox lets it reach the socket in NOTIFY_SOCKET.',
  },
  SYSTEMD_WATCHDOG: {
    meaning: 'WATCHDOG_USEC is not a number of microseconds.',
    action: 'Let systemd set WATCHDOG_USEC (WatchdogSec=); outside a service, unset it.',
  },
} as const satisfies ErrorCatalogue;

export class SystemdError extends CodedError<keyof typeof SYSTEMD_ERRORS> {}
