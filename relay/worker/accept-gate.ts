/**
 * What to do when descriptors or memory run out: listeners stop accepting until a connection ends or a short timer fires, so
 * that nothing spins and waiting peers stay in the kernel's queue. One descriptor is held in reserve for the upstream of a
 * connection that was accepted with the last one; accepting goes on only when the reserve is whole again.
 * Specification: relay.md, must hold 4 (EMFILE, ENFILE, ENOMEM).
 */

import { errnoName } from '../../system/libc/errno.ts';
import { close, eventfd } from '../../system/libc/socket-calls.ts';
import { EFD_CLOEXEC } from '../../system/libc/socket-constants.ts';
import type { Engine, Timed } from './engine.ts';

/** A listener as the gate sees it. */
export interface Pausable {
  setAccepting(engine: Engine, isAccepting: boolean): void;
}

const RETRY_MS = 100;
const GATE = 'accept-gate';

export class AcceptGate implements Timed {
  deadlineMs = 0;
  heapIndex = -1;
  readonly #listeners = new Set<Pausable>();
  #reserveFd = eventfd(0, EFD_CLOEXEC);
  #isPaused = false;

  get isPaused(): boolean {
    return this.#isPaused;
  }

  add(engine: Engine, listener: Pausable): void {
    this.#listeners.add(listener);
    if (this.#isPaused) listener.setAccepting(engine, false);
  }

  remove(listener: Pausable): void {
    this.#listeners.delete(listener);
  }

  /** Stops accepting on all listeners: the shortage is the whole process's. */
  pause(engine: Engine, errno: number): void {
    if (!this.#isPaused) {
      this.#isPaused = true;
      for (const listener of this.#listeners) listener.setAccepting(engine, false);
      engine.log.limited('warn', 'relay.accept-paused', GATE, { errno: errnoName(errno) });
    }
    engine.deadlines.set(this, engine.nowMs + RETRY_MS);
  }

  /** Frees the reserve for one socket. @returns whether there was one. */
  lendReserve(): boolean {
    if (this.#reserveFd < 0) return false;
    close(this.#reserveFd);
    this.#reserveFd = -1;
    return true;
  }

  onDescriptorsFreed(engine: Engine): void {
    if (this.#isPaused) this.#resume(engine);
  }

  onDeadline(engine: Engine): void {
    this.#resume(engine);
    if (this.#isPaused) engine.deadlines.set(this, engine.nowMs + RETRY_MS);
  }

  abandon(engine: Engine): void {
    engine.deadlines.set(this, engine.nowMs + RETRY_MS);
  }

  close(): void {
    this.lendReserve();
  }

  #resume(engine: Engine): void {
    if (this.#reserveFd < 0) this.#reserveFd = eventfd(0, EFD_CLOEXEC);
    const spare = eventfd(0, EFD_CLOEXEC);
    if (spare < 0) return;
    close(spare);
    if (this.#reserveFd < 0) return;
    this.#isPaused = false;
    engine.deadlines.clear(this);
    for (const listener of this.#listeners) listener.setAccepting(engine, true);
    engine.log.limited('info', 'relay.accept-resumed', GATE, {});
  }
}
