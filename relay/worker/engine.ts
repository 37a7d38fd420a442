/**
 * The event loop of the relay: one epoll instance, one buffer that all bytes pass through, one heap of deadlines.
 * A turn delivers the events of one epoll_wait, then goes on with the sides that used up their share of the turn before, then
 * runs what is due. What goes wrong inside one connection ends that connection.
 * Specification: relay.md, "Shape" and "What the engine relies on" (K1, K3, K11, K13).
 */

import type { Poller, PollTarget } from '../../system/libc/poller.ts';
import { NativeBuffer } from '../../system/libc/socket-calls.ts';
import { EPOLLERR, EPOLLET, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP } from '../../system/libc/socket-constants.ts';
import type { AddressAnswer, AddressBook } from './address-book.ts';
import type { Deadline } from './deadlines.ts';
import { Deadlines } from './deadlines.ts';
import type { Sockets } from './sockets.ts';
import type { WorkerLog } from './worker-log.ts';

/** Something that the poller reports on. */
export interface Target extends PollTarget {
  onEvents(engine: Engine, flags: number): void;
  /** Its code threw: give up what it stands for. */
  abandon(engine: Engine, error: unknown): void;
}

/** A target that may use up its share of a turn. */
export interface Queueable extends Target {
  isQueued: boolean;
}

/** Something with a deadline. */
export interface Timed extends Deadline {
  onDeadline(engine: Engine): void;
  abandon(engine: Engine, error: unknown): void;
}

/** Something that waits for the addresses of a name. */
export interface NameWaiter {
  onAddresses(engine: Engine, answer: AddressAnswer): void;
  abandon(engine: Engine, error: unknown): void;
}

/** A listener as the gate sees it. */
export interface Pausable {
  setAccepting(engine: Engine, isAccepting: boolean): void;
}

/** Holds accepting back while descriptors or memory are short (accept-gate.ts). */
export interface Gate {
  readonly isPaused: boolean;
  add(engine: Engine, listener: Pausable): void;
  remove(listener: Pausable): void;
  pause(engine: Engine, errno: number): void;
  lendReserve(): boolean;
  onDescriptorsFreed(engine: Engine): void;
  close(): void;
}

export type Poll = Pick<Poller<Target>, keyof Poller<Target>>;

/** All that a relayed socket is watched for. */
export const SOCKET_EVENTS = EPOLLIN + EPOLLOUT + EPOLLRDHUP + EPOLLET;
/** The same, but for room to write: nothing waits for it. */
export const QUIET_EVENTS = EPOLLIN + EPOLLRDHUP + EPOLLET;
/** Events after which a read must go on until the end shows (K3). */
export const HANG_UP = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

/** Size of the shared buffer, and the most that one connection may hold in user space (relay.md, must hold 2). */
export const BUFFER_BYTES = 256 * 1024;

export interface EngineParts {
  readonly poller: Poll;
  readonly sockets: Sockets;
  /** Milliseconds that only grow. */
  readonly readClockMs: () => number;
  readonly log: WorkerLog;
  readonly addresses: AddressBook<NameWaiter>;
  readonly gate: Gate;
}

export class Engine {
  readonly poller: Poll;
  readonly sockets: Sockets;
  readonly deadlines = new Deadlines<Timed>();
  /** Every read goes here; nobody keeps a reference beyond its call. */
  readonly buffer = new NativeBuffer(BUFFER_BYTES);
  readonly log: WorkerLog;
  readonly addresses: AddressBook<NameWaiter>;
  readonly gate: Gate;
  readonly #readClockMs: () => number;
  /** Milliseconds on the engine's clock, as of this turn. */
  nowMs: number;
  #ready: Queueable[] = [];
  #isStopped = false;
  #lastConnectionId = 0;

  constructor(parts: EngineParts) {
    this.poller = parts.poller;
    this.sockets = parts.sockets;
    this.log = parts.log;
    this.addresses = parts.addresses;
    this.gate = parts.gate;
    this.#readClockMs = parts.readClockMs;
    this.nowMs = Math.floor(parts.readClockMs());
  }

  nextConnectionId(): number {
    this.#lastConnectionId += 1;
    return this.#lastConnectionId;
  }

  /** Lets a target go on in the next turn, after everybody else had theirs: no event would tell it to (K1). */
  requeue(target: Queueable): void {
    if (target.isQueued) return;
    target.isQueued = true;
    this.#ready.push(target);
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Returns after `stop`. Throws only when epoll itself fails. */
  run(): void {
    while (!this.#isStopped) this.turn();
  }

  /** Waits for events, or the next deadline, and deals with them. */
  turn(): void {
    const ready = this.#takeReady();
    const count = this.poller.wait(ready !== undefined ? 0 : this.deadlines.timeoutMs(this.nowMs));
    this.nowMs = Math.floor(this.#readClockMs());
    for (let index = 0; index < count; index++) {
      const target = this.poller.target(index);
      if (target !== undefined) this.#deliver(target, this.poller.flags(index));
    }
    if (ready !== undefined) this.#runReady(ready);
    this.#runDue();
  }

  close(): void {
    this.poller.close();
  }

  #deliver(target: Target, flags: number): void {
    try {
      target.onEvents(this, flags);
    } catch (error) {
      target.abandon(this, error);
    }
  }

  #takeReady(): readonly Queueable[] | undefined {
    if (this.#ready.length === 0) return undefined;
    const targets = this.#ready;
    this.#ready = [];
    return targets;
  }

  #runReady(targets: readonly Queueable[]): void {
    for (const target of targets) {
      target.isQueued = false;
      this.#deliver(target, EPOLLIN);
    }
  }

  #runDue(): void {
    for (let item = this.deadlines.takeDue(this.nowMs); item !== undefined; item = this.deadlines.takeDue(this.nowMs)) {
      try {
        item.onDeadline(this);
      } catch (error) {
        item.abandon(this, error);
      }
    }
  }
}
