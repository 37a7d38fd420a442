/** renameat2(2) with RENAME_EXCHANGE: two names change places in one step, which a crash leaves done or not done. Node has no such call. */
import koffi from 'koffi';
import { SystemError } from '../errors.ts';
import { describeErrno } from './errno.ts';

/** linux/fcntl.h, linux/fs.h */
const AT_FDCWD = -100;
const RENAME_EXCHANGE = 2;

/**
 * @param one @param other both are there, in one file system
 * @throws SystemError SYSTEM_EXCHANGE, with nothing changed: some network file systems cannot
 */
export function exchangePaths(one: string, other: string): void {
  const renameat2 = koffi.load(null).func('int renameat2(int, const char *, int, const char *, unsigned int)');
  if (renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) !== -1) return;
  throw new SystemError('SYSTEM_EXCHANGE', `${one} and ${other} cannot change places`, {
    found: describeErrno(koffi.errno()),
  });
}
