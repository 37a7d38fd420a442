/**
 * The end of a process that is nobody's child here, as an event of the kernel's: a descriptor of a process becomes readable
 * when that process has ended, reaped or not (pidfd_open(2)).
 */
import { closeSync } from 'node:fs';
import koffi from 'koffi';

/** asm-generic/unistd.h; the same number on x86-64 and arm64. */
const SYS_PIDFD_OPEN = 434;
/** poll.h, errno.h */
const POLLIN = 1;
const ESRCH = 3;

const library = koffi.load(null);
const openProcess = library.func('long syscall(long number, int pid, unsigned int flags)');
const poll = library.func('int poll(void *fds, unsigned long count, int timeoutMs)');

/** Resolves once the process has ended; at once when there is none. */
export async function processEnd(pid: number): Promise<void> {
  const fd = Number(openProcess(SYS_PIDFD_OPEN, pid, 0));
  if (fd < 0) {
    if (koffi.errno() === ESRCH) return;
    throw new Error(`pidfd_open ${pid}: errno ${koffi.errno()}`);
  }
  // struct pollfd { int fd; short events; short revents; }
  const pollfd = Buffer.alloc(8);
  pollfd.writeInt32LE(fd, 0);
  pollfd.writeInt16LE(POLLIN, 4);
  try {
    await new Promise<void>((resolve, reject) => {
      poll.async(pollfd, 1, -1, (error: unknown, ready: number) => {
        if (ready === 1) resolve();
        else reject(error ?? new Error('poll was interrupted'));
      });
    });
  } finally {
    closeSync(fd);
  }
}
