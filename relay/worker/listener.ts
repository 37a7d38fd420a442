/** Accepts connections, a bounded number a turn, and hands them on. */

import { describeError } from '../../runtime/errors.ts';
import { describeErrno, EAGAIN, isPassingAcceptError, isShortage } from '../../system/libc/errno.ts';
import { close, lastErrno } from '../../system/libc/socket-calls.ts';
import { EPOLLIN } from '../../system/libc/socket-constants.ts';
import { acceptSocket, acceptVsock } from '../../system/libc/sockets.ts';
import type { Cid } from '../../wire/brands.ts';
import type { Endpoint } from '../../wire/endpoint.ts';
import { RelayError } from '../errors.ts';
import type { Pausable } from './accept-gate.ts';
import type { BoundSocket } from './bind.ts';
import { openListeningSocket } from './bind.ts';
import type { Engine, Target } from './engine.ts';

const ACCEPTS_PER_TURN = 64;

/** Takes ownership of the descriptor. */
export type OnAccept = (engine: Engine, fd: number, cid: Cid | undefined) => void;

export class Listener implements Target, Pausable {
  readonly fd: number;
  serial = 0;
  readonly endpoint: Endpoint;
  readonly #socket: BoundSocket;
  readonly #onAccept: OnAccept;

  private constructor(socket: BoundSocket, onAccept: OnAccept) {
    this.fd = socket.fd;
    this.endpoint = socket.endpoint;
    this.#socket = socket;
    this.#onAccept = onAccept;
  }

  /** @throws RelayError as openListeningSocket */
  static open(engine: Engine, endpoint: Endpoint, onAccept: OnAccept): Listener {
    const listener = new Listener(openListeningSocket(endpoint), onAccept);
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
    close(this.fd);
  }

  get #socketName(): string {
    return this.endpoint.kind;
  }

  /** @returns whether there may be more to accept. */
  #acceptOne(engine: Engine): boolean {
    const { fd, cid } = this.#accept();
    if (fd >= 0) {
      this.#onAccept(engine, fd, cid);
      return true;
    }
    const errno = lastErrno();
    if (errno === EAGAIN) return false;
    if (isPassingAcceptError(errno)) return true;
    if (!isShortage(errno)) {
      engine.log.limited('error', 'relay.accept-failed', this.#socketName, { error: describeErrno(errno) });
    }
    engine.gate.pause(engine, errno);
    return false;
  }

  #accept(): { readonly fd: number; readonly cid: Cid | undefined } {
    switch (this.endpoint.kind) {
      case 'vsock':
        return acceptVsock(this.fd);
      case 'vsock-uds':
      case 'vsock-uds-guest':
        return { fd: acceptSocket(this.fd), cid: this.endpoint.cid };
      default:
        return { fd: acceptSocket(this.fd), cid: undefined };
    }
  }
}
