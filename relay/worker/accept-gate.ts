/**
 * What to do when descriptors or memory run out: listeners stop accepting until a connection ends or a short timer fires, so
 * that nothing spins and waiting peers stay in the kernel's queue. One descriptor is held in reserve for the upstream of a
 * connection that was accepted with the last one; accepting goes on only when the reserve is whole again.
 * Specification: relay.md, must hold 4 (EMFILE, ENFILE, ENOMEM).
 */

import { errnoName } from '../../system/libc/errno.ts';
import type { Engine, Gate, Pausable, Timed } from './engine.ts';
import type { Sockets } from './sockets.ts';

const RETRY_MS = 100;
const GATE = 'accept-gate';

export class AcceptGate implements Gate, Timed {
  deadlineMs = 0;
  heapIndex = -1;
  readonly #listeners = new Set<Pausable>();
  readonly #sockets: Sockets;
  #reserveFd: number;
  #isPaused = false;

  constructor(sockets: Sockets) {
    this.#sockets = sockets;
    this.#reserveFd = sockets.openReserve();
  }

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
    this.#sockets.close(this.#reserveFd);
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
    if (this.#reserveFd < 0) this.#reserveFd = this.#sockets.openReserve();
    const spare = this.#sockets.openReserve();
    if (spare < 0) return;
    this.#sockets.close(spare);
    if (this.#reserveFd < 0) return;
    this.#isPaused = false;
    engine.deadlines.clear(this);
    for (const listener of this.#listeners) listener.setAccepting(engine, true);
    engine.log.limited('info', 'relay.accept-resumed', GATE, {});
  }
}
