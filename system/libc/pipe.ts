/**
 * pipe2(2). What Node calls a pipe of a child is a pair of sockets, and a socket cannot be opened by its name: to a program that writes to
 * /dev/stdout or /dev/stderr, as shells and log files that are links do, the kernel says ENXIO (proc(5), "/proc/pid/fd").
 */
import { closeSync, fchownSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import koffi from 'koffi';
import { SystemError } from '../errors.ts';
import { describeErrno } from './errno.ts';

/** asm-generic/fcntl.h */
const O_CLOEXEC = 0o2000000;
const INT_BYTES = 4;

/** @returns 0, or -1 with errno set */
const pipe2: (ends: Buffer, flags: number) => number = koffi.load(null).func('int pipe2(void *, int)');

export interface PipeOwner {
  readonly uid: number;
  readonly gid: number;
}

export interface Pipe {
  readonly reader: Readable;
  /** A descriptor, to be closed once the writer has it. It blocks, as programs expect; only our end does not. */
  readonly writeFd: number;
}

/** @param owner may open the writing end by its name, and nobody else but root @throws SystemError SYSTEM_LAUNCH_FAILED; the kernel's error */
export function makePipe(owner: PipeOwner | undefined): Pipe {
  const ends = Buffer.alloc(2 * INT_BYTES);
  if (pipe2(ends, O_CLOEXEC) === -1)
    throw new SystemError('SYSTEM_LAUNCH_FAILED', 'no pipe could be made', { found: describeErrno(koffi.errno()) });
  const [readFd, writeFd] = [ends.readInt32LE(0), ends.readInt32LE(INT_BYTES)];
  try {
    if (owner !== undefined) fchownSync(writeFd, owner.uid, owner.gid);
  } catch (error) {
    closeSync(readFd);
    closeSync(writeFd);
    throw error;
  }
  return { reader: new Socket({ fd: readFd, readable: true, writable: false }), writeFd };
}
