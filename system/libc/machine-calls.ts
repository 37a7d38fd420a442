/**
 * The system calls that only the owner of a machine makes: mount, network interfaces, limits, clock, entropy, power.
 * Node has none of them, so they go through FFI. A call that fails throws with the name of its error.
 *
 * Numbers are of the Linux ABI, the same on x86-64 and arm64; sources beside them.
 */
import { chmodSync, closeSync, openSync } from 'node:fs';
import koffi, { type LibraryHandle } from 'koffi';
import { SystemError } from '../errors.ts';
import { describeErrno } from './errno.ts';

/** linux/mount.h */
export const MS_RDONLY = 0x1;
export const MS_NOSUID = 0x2;
export const MS_NODEV = 0x4;
export const MS_NOEXEC = 0x8;
export const MS_REMOUNT = 0x20;
export const MS_BIND = 0x1000;

/** linux/stat.h */
const S_IFCHR = 0o020000;
const DEVICE_MODE = 0o666;

/** linux/socket.h, linux/if.h, linux/sockios.h */
const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const IFNAMSIZ = 16;
const IFREQ_BYTES = 40;
const IFF_UP = 0x1;
const IFF_RUNNING = 0x40;
const SIOCSIFFLAGS = 0x8914;

/** asm-generic/resource.h */
export const RLIMIT_CORE = 4;
export const RLIMIT_NOFILE = 7;

/** linux/random.h: _IOW('R', 0x03, int[2]); int entropy_count (bits), int buf_size (bytes), then the bytes. */
const RNDADDENTROPY = 0x40085203;
/** linux/random.h: _IO('R', 0x07). */
const RNDRESEEDCRNG = 0x5207;
const RAND_POOL_INFO_BYTES = 8;
const BITS_PER_BYTE = 8;

/** EVP_RAND(3): what the primary generator has is a live source in any case. */
const NO_PREDICTION_RESISTANCE = 0;
const OPENSSL_SUCCESS = 1;

/** linux/time.h; include/linux/posix-timers.h: the clock of an open PTP device. */
const CLOCK_REALTIME = 0;
const CLOCKFD = 3;
const TIMESPEC_BYTES = 16;
const NANOSECONDS_PER_MS = 1_000_000n;

/** linux/reboot.h */
const LINUX_REBOOT_CMD_RESTART = 0x01234567;

/** linux/wait.h */
const WNOHANG = 1;

/** asm-generic/ioctls.h: how many bytes a terminal has taken and not yet sent. */
const TIOCOUTQ = 0x5411;
const INT_BYTES = 4;

/** null: the symbols of the running process, which is linked with its C library whatever that library's name is. */
const library = koffi.load(null);
const c = {
  mount: library.func('int mount(const char *, const char *, const char *, unsigned long, const char *)'),
  mknod: library.func('int mknod(const char *, unsigned int, unsigned long)'),
  socket: library.func('int socket(int, int, int)'),
  ioctl: library.func('int ioctl(int, unsigned long, void *)'),
  sethostname: library.func('int sethostname(const char *, size_t)'),
  setrlimit: library.func('int setrlimit(int, void *)'),
  clockGet: library.func('int clock_gettime(int, void *)'),
  clockSet: library.func('int clock_settime(int, void *)'),
  waitpid: library.func('int waitpid(int, void *, int)'),
  reboot: library.func('int reboot(int)'),
};

/** @throws SystemError BOOT_SYSTEM_CALL */
function must(call: string, result: number): number {
  if (result !== -1) return result;
  throw new SystemError('BOOT_SYSTEM_CALL', `${call} failed`, { found: describeErrno(koffi.errno()) });
}

function withDescriptor<Result>(fd: number, use: (fd: number) => Result): Result {
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  /** MS_ flags, or-ed. */
  readonly flags: number;
  /** Options of the file system, e.g. `mode=0755`. */
  readonly options: string;
}

/** mount(2) */
export function mount({ source, target, type, flags, options }: Mount): void {
  must(`mount ${type} on ${target}`, c.mount(source, target, type, flags, options));
}

/** mknod(2): a character device that everybody may read and write. Numbers below 256 each. */
export function makeDevice(path: string, major: number, minor: number): void {
  must(`mknod ${path}`, c.mknod(path, S_IFCHR, (major << 8) | minor));
  // Whatever the umask.
  chmodSync(path, DEVICE_MODE);
}

/** netdevice(7): sets IFF_UP. */
export function raiseInterface(name: string): void {
  const request = Buffer.alloc(IFREQ_BYTES);
  request.write(name, 0, IFNAMSIZ - 1, 'latin1');
  request.writeInt16LE(IFF_UP | IFF_RUNNING, IFNAMSIZ);
  withDescriptor(must('socket', c.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), (fd) => {
    must(`raise interface ${name}`, c.ioctl(fd, SIOCSIFFLAGS, request));
  });
}

/** sethostname(2) */
export function setHostName(name: string): void {
  must('sethostname', c.sethostname(name, Buffer.byteLength(name)));
}

/** setrlimit(2): soft and hard alike. */
export function setLimit(resource: number, limit: number): void {
  const both = Buffer.alloc(16);
  both.writeBigUInt64LE(BigInt(limit), 0);
  both.writeBigUInt64LE(BigInt(limit), 8);
  must(`setrlimit ${resource}`, c.setrlimit(resource, both));
}

/**
 * random(4): mixes the bytes into the kernel's pool, credits them in full, in bits, and has what getrandom(2) gives derive
 * from the pool as it is now: left alone, a generator that was seeded before is seeded anew only when its time comes. The
 * copy is zeroed.
 */
export function creditEntropy(bytes: Buffer): void {
  const request = Buffer.alloc(RAND_POOL_INFO_BYTES + bytes.length);
  request.writeInt32LE(bytes.length * BITS_PER_BYTE, 0);
  request.writeInt32LE(bytes.length, 4);
  bytes.copy(request, RAND_POOL_INFO_BYTES);
  try {
    withDescriptor(openSync('/dev/random', 'r'), (fd) => {
      must('RNDADDENTROPY', c.ioctl(fd, RNDADDENTROPY, request));
      must('RNDRESEEDCRNG', c.ioctl(fd, RNDRESEEDCRNG, null));
    });
  } finally {
    request.fill(0);
  }
}

/**
 * Has the random generator that Node's keys come from take new seed from the kernel, and its children of every thread from
 * it when they are next used. By itself it would do so only after an hour or 256 requests: what Node seeded it with as the
 * process started came before the bytes of the security module.
 * RAND_get0_primary(3), EVP_RAND(3); RAND_poll(3) does the same and does not tell when it failed.
 * @param program where OpenSSL's functions are
 * @throws SystemError BOOT_RNG_NOT_RESEEDED, also when they are not there
 */
export function reseedOpenSsl(program: Pick<LibraryHandle, 'func'> = library): void {
  const { primary, reseed } = openSslGenerator(program);
  const generator: unknown = primary(null);
  if (generator !== null && reseed(generator, NO_PREDICTION_RESISTANCE, null, 0, null, 0) === OPENSSL_SUCCESS) return;
  throw new SystemError('BOOT_RNG_NOT_RESEEDED', 'OpenSSL did not take new seed from the kernel');
}

function openSslGenerator(program: Pick<LibraryHandle, 'func'>) {
  try {
    return {
      primary: program.func('void *RAND_get0_primary(void *)'),
      reseed: program.func('int EVP_RAND_reseed(void *, int, const void *, size_t, const void *, size_t)'),
    };
  } catch (cause) {
    throw new SystemError('BOOT_RNG_NOT_RESEEDED', 'the functions of OpenSSL are not there', { cause });
  }
}

/** clock_settime(2) of the wall clock; milliseconds since the epoch. */
export function setWallClock(timeMs: number): void {
  const nanoseconds = BigInt(Math.round(timeMs)) * NANOSECONDS_PER_MS;
  const timespec = Buffer.alloc(TIMESPEC_BYTES);
  timespec.writeBigInt64LE(nanoseconds / 1_000_000_000n, 0);
  timespec.writeBigInt64LE(nanoseconds % 1_000_000_000n, 8);
  must('clock_settime', c.clockSet(CLOCK_REALTIME, timespec));
}

/** The time of a PTP clock device, in milliseconds since the epoch. */
export function readPtpClockMs(path: string): number {
  return withDescriptor(openSync(path, 'r'), (fd) => {
    const timespec = Buffer.alloc(TIMESPEC_BYTES);
    // FD_TO_CLOCKID of clock_gettime(2), NOTES, "Dynamic clocks".
    must(`clock_gettime of ${path}`, c.clockGet((~fd << 3) | CLOCKFD, timespec));
    const nanoseconds = timespec.readBigInt64LE(0) * 1_000_000_000n + timespec.readBigInt64LE(8);
    return Number(nanoseconds / NANOSECONDS_PER_MS);
  });
}

/** waitpid(2) without waiting: takes the exit of a child that has ended; false when it has not, or is no child. */
export function reap(pid: number): boolean {
  return c.waitpid(pid, null, WNOHANG) === pid;
}

/** ioctl_tty(2): bytes on their way out of the terminal; 0 for what is no terminal. */
export function unsentBytes(fd: number): number {
  const count = Buffer.alloc(INT_BYTES);
  return c.ioctl(fd, TIOCOUTQ, count) === -1 ? 0 : count.readInt32LE(0);
}

/**
 * reboot(2). A virtual machine that restarts ends; there is no power switch in an enclave. Nothing is synchronised: all
 * file systems are memory. Returns only on failure.
 */
export function endMachine(): void {
  must('reboot', c.reboot(LINUX_REBOOT_CMD_RESTART));
}
