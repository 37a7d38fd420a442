/** Error numbers of the running system, and what the relay needs to know about them. */
import { constants } from 'node:os';
import { getSystemErrorMessage, getSystemErrorName } from 'node:util';

const { errno } = constants;

export const EAGAIN = errno.EAGAIN;
export const EINTR = errno.EINTR;
export const EINPROGRESS = errno.EINPROGRESS;
export const EADDRINUSE = errno.EADDRINUSE;
export const ECONNREFUSED = errno.ECONNREFUSED;
export const ECONNRESET = errno.ECONNRESET;
export const ENOBUFS = errno.ENOBUFS;
export const ENOENT = errno.ENOENT;
export const ETIMEDOUT = errno.ETIMEDOUT;

const SHORTAGES: ReadonlySet<number> = new Set([errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM]);
const PERMISSIONS: ReadonlySet<number> = new Set([errno.EACCES, errno.EPERM, errno.EROFS]);

/** accept(2): errors of the connection that was about to be accepted, or of the network; the next one may be fine. */
const PASSING: ReadonlySet<number> = new Set([
  errno.ECONNABORTED,
  errno.EINTR,
  errno.EPROTO,
  errno.ENETDOWN,
  errno.ENOPROTOOPT,
  errno.EHOSTUNREACH,
  errno.EOPNOTSUPP,
  errno.ENETUNREACH,
]);

/** The process or the machine has no descriptor or memory left; it may have again when a connection ends. */
export function isShortage(code: number): boolean {
  return SHORTAGES.has(code);
}

export function isPermission(code: number): boolean {
  return PERMISSIONS.has(code);
}

export function isPassingAcceptError(code: number): boolean {
  return PASSING.has(code);
}

/** `ECONNRESET`. */
export function errnoName(code: number): string {
  return getSystemErrorName(-code);
}

/** `ECONNRESET: connection reset by peer`. */
export function describeErrno(code: number): string {
  return `${errnoName(code)}: ${getSystemErrorMessage(-code) ?? 'unknown error'}`;
}
