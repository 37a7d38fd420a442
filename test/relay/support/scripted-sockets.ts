/**
 * A double of the system's sockets and of epoll for the relay's engine: each socket answers as scripted and remembers what was done
 * to it, so that orders of events can be tested that a kernel shows once in a million connections. Where nothing is scripted a
 * socket behaves as an idle one: nothing to read (EAGAIN), room for everything.
 */
import { constants } from 'node:os';
import koffi from 'koffi';
import type { Poll, Target } from '../../../relay/worker/engine.ts';
import type { Sockets } from '../../../relay/worker/sockets.ts';
import { MSG_PEEK } from '../../../system/libc/socket-constants.ts';
import type { Accepted } from '../../../system/libc/sockets.ts';

/** Of the memory that the engine passes by its address. */
const libc = koffi.load(null);
const write: (to: number, from: Buffer, length: number) => void = libc.func('void *memcpy(uintptr_t, void *, size_t)');
const read: (to: Buffer, from: number, length: number) => void = libc.func('void *memcpy(void *, uintptr_t, size_t)');

export type Errno = keyof typeof constants.errno;
const negative = (name: Errno) => -constants.errno[name];

export class ScriptedSocket {
  /** What recv() gives, one after the other: bytes, the end of the stream (again and again), or an error. */
  arriving: (Buffer | 'end' | Errno)[] = [];
  /** What send() takes, one after the other: at most so many bytes, or an error; afterwards everything. */
  taking: (number | Errno)[] = [];
  connecting: 'at once' | Errno = 'EINPROGRESS';
  /** What SO_ERROR tells, once. */
  error: Errno | undefined;
  readonly sent: Buffer[] = [];
  /** In order: `shut` (for writing), `closed`, `aborted`. */
  readonly ends: ('shut' | 'closed' | 'aborted')[] = [];

  get sentText(): string {
    return Buffer.concat(this.sent).toString('latin1');
  }

  recv(maxBytes: number, isPeek: boolean): Buffer | number {
    const [next] = this.arriving;
    if (next === undefined) return negative('EAGAIN');
    if (next === 'end') return Buffer.alloc(0);
    if (typeof next === 'string') {
      this.arriving.shift();
      return negative(next);
    }
    const taken = next.subarray(0, maxBytes);
    if (isPeek) return taken;
    if (taken.length < next.length) this.arriving[0] = next.subarray(maxBytes);
    else this.arriving.shift();
    return taken;
  }

  /** How many of so many bytes go, or a negative errno. */
  room(length: number): number {
    const next = this.taking.shift() ?? length;
    return typeof next === 'string' ? negative(next) : Math.min(next, length);
  }
}

export class ScriptedSockets implements Sockets {
  /** By descriptor; those that are closed stay. */
  readonly all = new Map<number, ScriptedSocket>();
  /** What the next open() calls give; without: an idle socket each. */
  readonly upstreams: (ScriptedSocket | Errno)[] = [];
  readonly accepts: (ScriptedSocket | Errno)[] = [];
  reserves: (Errno | 'ok')[] = [];
  /** Of the descriptor, as the kernel tells. */
  bufferBytes: (fd: number) => number = () => -1;
  #lastFd = 1000;

  add(socket: ScriptedSocket): number {
    this.#lastFd += 1;
    this.all.set(this.#lastFd, socket);
    return this.#lastFd;
  }

  get openCount(): number {
    return [...this.all.values()].filter(({ ends }) => !ends.includes('closed') && !ends.includes('aborted')).length;
  }

  #of(fd: number): ScriptedSocket {
    const socket = this.all.get(fd);
    if (socket === undefined || socket.ends.includes('closed') || socket.ends.includes('aborted')) {
      throw new Error(`descriptor ${fd} is not open`);
    }
    return socket;
  }

  open(): number {
    const next = this.upstreams.shift() ?? new ScriptedSocket();
    return typeof next === 'string' ? negative(next) : this.add(next);
  }

  connect(fd: number): number {
    const { connecting } = this.#of(fd);
    return connecting === 'at once' ? 0 : constants.errno[connecting];
  }

  takeError(fd: number): number {
    const socket = this.#of(fd);
    const errno = socket.error === undefined ? 0 : constants.errno[socket.error];
    socket.error = undefined;
    return errno;
  }

  accept(): Accepted {
    const next = this.accepts.shift() ?? 'EAGAIN';
    return { fd: typeof next === 'string' ? negative(next) : this.add(next), from: Buffer.alloc(16) };
  }

  recv(fd: number, address: number, length: number, flags: number): number {
    const got = this.#of(fd).recv(length, flags === MSG_PEEK);
    if (typeof got === 'number') return got;
    write(address, got, got.length);
    return got.length;
  }

  send(fd: number, address: number, length: number): number {
    const socket = this.#of(fd);
    const size = socket.room(length);
    if (size <= 0) return size === 0 ? negative('EAGAIN') : size;
    const bytes = Buffer.alloc(size);
    read(bytes, address, size);
    socket.sent.push(bytes);
    return size;
  }

  endWriting(fd: number): void {
    this.#of(fd).ends.push('shut');
  }

  close(fd: number): void {
    this.#of(fd).ends.push('closed');
  }

  abort(fd: number): void {
    this.#of(fd).ends.push('aborted');
  }

  openReserve(): number {
    const next = this.reserves.shift() ?? 'ok';
    return next === 'ok' ? this.add(new ScriptedSocket()) : negative(next);
  }
}

/** Reports what the test says, in one batch a turn. As epoll: nothing of a descriptor that was closed in the same batch. */
export class ScriptedPoll implements Poll {
  readonly #targets = new Map<number, Target>();
  #next: (readonly [fd: number, flags: number])[] = [];
  #batch: (readonly [fd: number, flags: number])[] = [];
  /** What was to be watched for instead, in order. */
  readonly changes: (readonly [fd: number, events: number])[] = [];
  /** How long the engine wanted to wait, each turn. */
  readonly timeouts: number[] = [];

  report(fd: number, flags: number): void {
    this.#next.push([fd, flags]);
  }

  get registered(): number {
    return this.#targets.size;
  }

  add(target: Target): number {
    this.#targets.set(target.fd, target);
    return 0;
  }

  change({ fd }: Target, events: number): number {
    this.changes.push([fd, events]);
    return 0;
  }

  handOver(from: Target, to: Target): void {
    this.#targets.set(from.fd, to);
  }

  forget(target: Target): void {
    this.#targets.delete(target.fd);
  }

  wait(timeoutMs: number): number {
    this.timeouts.push(timeoutMs);
    this.#batch = this.#next.splice(0);
    return this.#batch.length;
  }

  target(index: number): Target | undefined {
    return this.#targets.get(this.#batch[index]?.[0] ?? -1);
  }

  flags(index: number): number {
    return this.#batch[index]?.[1] ?? 0;
  }

  *targets(): Generator<Target> {
    yield* this.#targets.values();
  }

  close(): void {
    this.#targets.clear();
  }
}
