/**
 * One epoll instance. Each registration carries a serial number beside the descriptor, so that an event for a descriptor
 * that was closed and reused within the same batch is recognised as stale.
 * Source: epoll(7); struct epoll_event is packed on x86-64 only.
 */

import { SystemError } from '../errors.ts';
import { describeErrno, EINTR } from './errno.ts';
import { close, epollControl, epollCreate, epollWait, lastErrno, NativeBuffer } from './socket-calls.ts';
import { EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_MOD } from './socket-constants.ts';

export interface PollTarget {
  readonly fd: number;
  /** Set by the poller. */
  serial: number;
}

const MAX_EVENTS = 256;
const WORDS_PER_EVENT = process.arch === 'x64' ? 3 : 4;
const DATA_WORD = process.arch === 'x64' ? 1 : 2;
const MAX_SERIAL = 0x3fff_ffff;

export class Poller<Target extends PollTarget> {
  readonly #epoll: number;
  readonly #targets: (Target | undefined)[] = [];
  readonly #events = new NativeBuffer(MAX_EVENTS * WORDS_PER_EVENT * 4);
  readonly #words = new Int32Array(this.#events.bytes.buffer, 0, MAX_EVENTS * WORDS_PER_EVENT);
  readonly #change = new NativeBuffer(WORDS_PER_EVENT * 4);
  #serial = 0;
  #registered = 0;

  constructor() {
    this.#epoll = epollCreate(EPOLL_CLOEXEC);
    if (this.#epoll < 0) throw new SystemError('SYSTEM_POLL', `epoll_create1: ${describeErrno(lastErrno())}`);
  }

  get registered(): number {
    return this.#registered;
  }

  #control(operation: number, target: Target, events: number): number {
    const { bytes } = this.#change;
    bytes.fill(0);
    bytes.writeUInt32LE(events, 0);
    bytes.writeInt32LE(target.fd, DATA_WORD * 4);
    bytes.writeInt32LE(target.serial, DATA_WORD * 4 + 4);
    return epollControl(this.#epoll, operation, target.fd, bytes) === 0 ? 0 : lastErrno();
  }

  /** @returns 0, or the errno. */
  add(target: Target, events: number): number {
    this.#serial = this.#serial >= MAX_SERIAL ? 1 : this.#serial + 1;
    target.serial = this.#serial;
    const errno = this.#control(EPOLL_CTL_ADD, target, events);
    if (errno !== 0) return errno;
    this.#targets[target.fd] = target;
    this.#registered += 1;
    return 0;
  }

  /** Changes what is waited for. @returns 0, or the errno. */
  change(target: Target, events: number): number {
    return this.#control(EPOLL_CTL_MOD, target, events);
  }

  /** Hands the registration of a descriptor from one owner to the next. */
  handOver(from: Target, to: Target): void {
    to.serial = from.serial;
    this.#targets[from.fd] = to;
  }

  /** To be called right before the descriptor is closed, which ends its registration in the kernel. */
  forget(target: Target): void {
    if (this.#targets[target.fd] !== target) return;
    this.#targets[target.fd] = undefined;
    this.#registered -= 1;
  }

  /** @param timeoutMs -1: for ever. @returns the number of events; read them before the next call. */
  wait(timeoutMs: number): number {
    const count = epollWait(this.#epoll, this.#events.bytes, MAX_EVENTS, timeoutMs);
    if (count >= 0) return count;
    const errno = lastErrno();
    if (errno === EINTR) return 0;
    throw new SystemError('SYSTEM_POLL', `epoll_wait: ${describeErrno(errno)}`);
  }

  /** The owner of event `index`, or undefined if it is gone. */
  target(index: number): Target | undefined {
    const word = index * WORDS_PER_EVENT + DATA_WORD;
    const target = this.#targets[this.#words[word] ?? -1];
    return target !== undefined && target.serial === this.#words[word + 1] ? target : undefined;
  }

  flags(index: number): number {
    return this.#words[index * WORDS_PER_EVENT] ?? 0;
  }

  *targets(): Generator<Target> {
    for (const target of this.#targets) if (target !== undefined) yield target;
  }

  close(): void {
    close(this.#epoll);
  }
}
