/**
 * The event loop of the relay: one epoll instance, one buffer that all bytes pass through, one heap of deadlines.
 * A turn delivers the events of one epoll_wait, then goes on with the sides that used up their share of the turn before, then
 * runs what is due. What goes wrong inside one connection ends that connection.
 * Specification: relay.md, "Shape".
 */

import type { PollTarget } from '../../system/libc/poller.ts';
import { Poller } from '../../system/libc/poller.ts';
import { NativeBuffer } from '../../system/libc/socket-calls.ts';
import { EPOLLIN } from '../../system/libc/socket-constants.ts';
import type { AcceptGate } from './accept-gate.ts';
import type { AddressBook } from './address-book.ts';
import type { Connection, Side } from './connection.ts';
import type { Deadline } from './deadlines.ts';
import { Deadlines } from './deadlines.ts';
import type { WorkerLog } from './worker-log.ts';

/** Something that the poller reports on. */
export interface Target extends PollTarget {
  onEvents(engine: Engine, flags: number): void;
  /** Its code threw: give up what it stands for. */
  abandon(engine: Engine, error: unknown): void;
}

/** Something with a deadline. */
export interface Timed extends Deadline {
  onDeadline(engine: Engine): void;
  abandon(engine: Engine, error: unknown): void;
}

/** Size of the shared buffer, and the most that one connection may hold in user space (relay.md, must hold 2). */
export const BUFFER_BYTES = 256 * 1024;

export class Engine {
  readonly poller = new Poller<Target>();
  readonly deadlines = new Deadlines<Timed>();
  /** Every read goes here; nobody keeps a reference beyond its call. */
  readonly buffer = new NativeBuffer(BUFFER_BYTES);
  readonly log: WorkerLog;
  readonly addresses: AddressBook<Connection>;
  readonly gate: AcceptGate;
  /** Milliseconds since the worker began, as of this turn. */
  nowMs = 0;
  #ready: Side[] = [];
  #isStopped = false;
  #lastConnectionId = 0;

  constructor(parts: {
    readonly log: WorkerLog;
    readonly addresses: AddressBook<Connection>;
    readonly gate: AcceptGate;
  }) {
    this.log = parts.log;
    this.addresses = parts.addresses;
    this.gate = parts.gate;
    this.#readClock();
  }

  nextConnectionId(): number {
    this.#lastConnectionId += 1;
    return this.#lastConnectionId;
  }

  /** Lets a side go on in the next turn, after everybody else had theirs. */
  requeue(side: Side): void {
    if (side.isQueued) return;
    side.isQueued = true;
    this.#ready.push(side);
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Returns after `stop`. Throws only when epoll itself fails. */
  run(): void {
    while (!this.#isStopped) this.#turn();
  }

  close(): void {
    this.poller.close();
  }

  #readClock(): void {
    this.nowMs = Math.floor(performance.now());
  }

  #turn(): void {
    const count = this.poller.wait(this.#ready.length > 0 ? 0 : this.deadlines.timeoutMs(this.nowMs));
    this.#readClock();
    for (let index = 0; index < count; index++) {
      const target = this.poller.target(index);
      if (target !== undefined) this.#deliver(target, this.poller.flags(index));
    }
    this.#runReady();
    this.#runDue();
  }

  #deliver(target: Target, flags: number): void {
    try {
      target.onEvents(this, flags);
    } catch (error) {
      target.abandon(this, error);
    }
  }

  #runReady(): void {
    if (this.#ready.length === 0) return;
    const sides = this.#ready;
    this.#ready = [];
    for (const side of sides) {
      side.isQueued = false;
      this.#deliver(side, EPOLLIN);
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
