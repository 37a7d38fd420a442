/**
 * Tells the service manager how the service is. Outside a service (no NOTIFY_SOCKET) it does nothing, so that callers
 * need not ask where they run.
 *
 * Specification: sd_notify(3), sd_watchdog_enabled(3), systemd.exec(5) for the environment variables.
 */
import { isAbsolute } from 'node:path';
import { pid } from 'node:process';
import type { Clock } from '../../runtime/clock.ts';
import { describeErrno } from '../../system/libc/errno.ts';
import { MAX_UNIX_PATH_BYTES } from '../../wire/endpoint.ts';
import { encodeUnixAddress, sendDatagram } from './datagram.ts';
import { SystemdError } from './errors.ts';

export interface ServiceManager {
  /** @throws SystemdError SYSTEMD_SEND: the service manager would wait in vain. */
  ready(): void;
  /** One line for `systemctl status`; longer or several lines are cut. */
  status(text: string): void;
  stopping(): void;
  /**
   * Until aborted, tells at half of WATCHDOG_USEC that the daemon lives, and until it is ready that it takes more time:
   * the daemon has deadlines of its own. `isAlive` is asked before each, and what it denies is not sent.
   */
  watch(isAlive: () => boolean, signal: AbortSignal): Promise<void>;
  /** Nothing is sent any more. */
  close(): void;
}

const MAX_STATUS_BYTES = 1024;
const MICROSECONDS_PER_MS = 1000;
/** Where there is no watchdog. */
const INTERVAL_MS = 15_000;
/** How long the service manager waits at least for the next word of a service that starts. */
const EXTENSION_MS = 60_000;

/** @throws SystemdError SYSTEMD_ADDRESS */
function parseAddress(path: string): Buffer {
  const valid = (isAbsolute(path) || /^@./.test(path)) && Buffer.byteLength(path) <= MAX_UNIX_PATH_BYTES;
  if (valid) return encodeUnixAddress(path);
  throw new SystemdError('SYSTEMD_ADDRESS', 'NOTIFY_SOCKET is not the address of a unix socket', {
    found: path,
    allowed: `an absolute path or @name, at most ${MAX_UNIX_PATH_BYTES} bytes`,
  });
}

/** The interval of pings, or undefined where no watchdog waits for this process. @throws SystemdError SYSTEMD_WATCHDOG */
function pingIntervalMs(environment: NodeJS.ProcessEnv): number | undefined {
  const { WATCHDOG_USEC: text, WATCHDOG_PID: watched } = environment;
  if (text === undefined || (watched !== undefined && watched !== String(pid))) return undefined;
  const timeoutMs = /^[1-9]\d{0,15}$/.test(text) ? Number(text) / MICROSECONDS_PER_MS : 0;
  if (timeoutMs >= 2) return Math.floor(timeoutMs / 2);
  throw new SystemdError('SYSTEMD_WATCHDOG', 'WATCHDOG_USEC is not a usable time', {
    found: text,
    allowed: 'microseconds, 2000 or more',
  });
}

/** One line of valid text: a line break would begin another assignment of the protocol. */
function singleLine(text: string): string {
  const line = text.replace(/\p{Cc}+/gu, ' ').trim();
  const bytes = Buffer.from(line);
  if (bytes.length <= MAX_STATUS_BYTES) return line;
  return new TextDecoder().decode(bytes.subarray(0, MAX_STATUS_BYTES), { stream: true });
}

/** Sleeps again and again, and calls `each` before every sleep, until the signal aborts. */
async function repeat(each: () => void, intervalMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    each();
    await clock.sleep(intervalMs, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}

/**
 * @param environment that systemd gave to the service.
 * @throws SystemdError SYSTEMD_ADDRESS, SYSTEMD_WATCHDOG
 */
export function serviceManager(environment: NodeJS.ProcessEnv, clock: Clock): ServiceManager {
  const { NOTIFY_SOCKET: path } = environment;
  let address = path === undefined || path === '' ? undefined : parseAddress(path);
  const pingMs = address === undefined ? undefined : pingIntervalMs(environment);
  let isStarting = true;
  /** A message that is lost is repeated by the next ping or status; only readiness is told once. */
  const send = (message: string) => (address === undefined ? 0 : sendDatagram(address, message));
  return {
    ready() {
      const errno = send('READY=1');
      isStarting = errno !== 0;
      if (!isStarting) return;
      throw new SystemdError('SYSTEMD_SEND', 'cannot tell the service manager that the service is ready', {
        found: describeErrno(errno),
      });
    },
    status: (text) => void send(`STATUS=${singleLine(text)}`),
    stopping() {
      isStarting = false;
      send('STOPPING=1');
    },
    watch(isAlive, signal) {
      const tell = () => {
        if (address === undefined || !isAlive()) return;
        if (pingMs !== undefined) send('WATCHDOG=1');
        if (isStarting) send(`EXTEND_TIMEOUT_USEC=${EXTENSION_MS * MICROSECONDS_PER_MS}`);
      };
      return repeat(tell, Math.min(pingMs ?? INTERVAL_MS, INTERVAL_MS), clock, signal);
    },
    close() {
      address = undefined;
    },
  };
}
