/** Accepts connections, a bounded number a turn, and hands them on. */

import { describeError } from '../../runtime/errors.ts';
import { describeErrno, EAGAIN, isPassingAcceptError, isShortage } from '../../system/libc/errno.ts';
import { EPOLLIN } from '../../system/libc/socket-constants.ts';
import type { Endpoint } from '../../wire/endpoint.ts';
import { RelayError } from '../errors.ts';
import type { BoundSocket } from './bind.ts';
import type { Peer } from './connection.ts';
import type { Engine, Pausable, Target } from './engine.ts';
import { peerOf } from './peer-address.ts';

const ACCEPTS_PER_TURN = 64;

/** Takes ownership of the descriptor. */
export type OnAccept = (engine: Engine, fd: number, peer: Peer) => void;
/** accept() told an error instead. */
export type OnAcceptError = (errno: number) => void;

export class Listener implements Target, Pausable {
  readonly fd: number;
  serial = 0;
  readonly endpoint: Endpoint;
  readonly #socket: BoundSocket;
  readonly #onAccept: OnAccept;
  readonly #onError: OnAcceptError;

  private constructor(socket: BoundSocket, onAccept: OnAccept, onError: OnAcceptError) {
    this.fd = socket.fd;
    this.endpoint = socket.endpoint;
    this.#socket = socket;
    this.#onAccept = onAccept;
    this.#onError = onError;
  }

  /** Takes ownership of the socket. @throws RelayError RELAY_BIND_FAILED */
  static open(
    engine: Engine,
    socket: BoundSocket,
    onAccept: OnAccept,
    onError: OnAcceptError = () => undefined,
  ): Listener {
    const listener = new Listener(socket, onAccept, onError);
    const errno = engine.poller.add(listener, EPOLLIN);
    if (errno !== 0) {
      listener.close(engine);
      throw new RelayError('RELAY_BIND_FAILED', 'cannot watch the listening socket', { found: describeErrno(errno) });
    }
    engine.gate.add(engine, listener);
    return listener;
  }

  onEvents(engine: Engine): void {
    for (let accepted = 0; accepted < ACCEPTS_PER_TURN && !engine.gate.isPaused; accepted++) {
      if (!this.#acceptOne(engine)) return;
    }
  }

  abandon(engine: Engine, error: unknown): void {
    engine.log.limited('error', 'relay.accept-failed', this.#socketName, { error: describeError(error) });
  }

  setAccepting(engine: Engine, isAccepting: boolean): void {
    engine.poller.change(this, isAccepting ? EPOLLIN : 0);
  }

  close(engine: Engine): void {
    engine.gate.remove(this);
    this.#socket.unlink();
    engine.poller.forget(this);
    engine.sockets.close(this.fd);
  }

  get #socketName(): string {
    return this.endpoint.kind;
  }

  /** @returns whether there may be more to accept. */
  #acceptOne(engine: Engine): boolean {
    const { fd, from } = engine.sockets.accept(this.fd);
    if (fd >= 0) {
      this.#onAccept(engine, fd, peerOf(this.endpoint, from));
      return true;
    }
    const errno = -fd;
    if (errno === EAGAIN) return false;
    this.#onError(errno);
    if (isPassingAcceptError(errno)) return true;
    if (!isShortage(errno)) {
      engine.log.limited('error', 'relay.accept-failed', this.#socketName, { error: describeErrno(errno) });
    }
    engine.gate.pause(engine, errno);
    return false;
  }
}
