/**
 * One relayed connection: two sides, the stage that it is in, one deadline. Kept small: ten thousand idle ones are nothing
 * unusual. What only the time before the relaying needs hangs on `handshake`, which goes away with it.
 */

import { describeError } from '../../runtime/errors.ts';
import type { NativeBuffer } from '../../system/libc/socket-calls.ts';
import { EPOLLERR, EPOLLHUP, EPOLLRDHUP } from '../../system/libc/socket-constants.ts';
import type { Cid } from '../../wire/brands.ts';
import { closeConnection } from './close.ts';
import type { Engine, Target, Timed } from './engine.ts';
import type { RouteState } from './route-state.ts';
import type { Transport } from './transport.ts';
import type { Upstream } from './upstream.ts';

/** Events after which a read must go on until the end shows. */
export const HANG_UP = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

/** What a connection does with events and with its deadline; one object for each stage, shared by all connections. */
export interface Stage {
  readonly name: string;
  onEvents(engine: Engine, side: Side, flags: number): void;
  onDeadline(engine: Engine, connection: Connection): void;
}

/** Bytes that a socket did not take yet: `memory[offset..length)`. */
export interface Pending {
  readonly memory: NativeBuffer;
  readonly length: number;
  offset: number;
}

/** One socket of a connection. */
export class Side implements Target {
  /** -1: not open. */
  fd = -1;
  serial = 0;
  readonly connection: Connection;
  transport: Transport;
  /** Bytes received from this socket while relaying. */
  receivedBytes = 0;
  /** Bytes to be written to this socket as soon as it takes them; while there are any, the peer is not read. */
  pending: Pending | undefined = undefined;
  /** EPOLLRDHUP, EPOLLHUP or EPOLLERR was reported: from now on read until the end shows. */
  isHungUp = false;
  /** The end of the stream was read from this socket. */
  isEnded = false;
  /** This socket was shut down for writing, after the peer's end. */
  isShut = false;
  /** Writing to this socket failed. */
  isBroken = false;
  /** In the queue of sides that used up their share of a turn. */
  isQueued = false;

  constructor(connection: Connection, transport: Transport) {
    this.connection = connection;
    this.transport = transport;
  }

  get isDown(): boolean {
    return this.connection.down === this;
  }

  get peer(): Side {
    return this.isDown ? this.connection.up : this.connection.down;
  }

  onEvents(engine: Engine, flags: number): void {
    if ((flags & HANG_UP) !== 0) this.isHungUp = true;
    this.connection.stage.onEvents(engine, this, flags);
  }

  abandon(engine: Engine, error: unknown): void {
    this.connection.abandon(engine, error);
  }
}

/** State of a connection that is not open yet. */
export interface Handshake {
  /** First bytes of the downstream that were read and not passed on yet. */
  bytes: Buffer;
  /** PostgreSQL: a GSSENCRequest was answered already. */
  isGssAnswered: boolean;
  upstream: Upstream;
  /** Encoded addresses that are still to be tried. */
  addresses: Buffer[];
  /** The name that is being resolved. */
  resolving: string | undefined;
  connectDeadlineMs: number;
  /** The backlog of a unix listener was full: the same address is tried again at the deadline. */
  isRetry: boolean;
  /** Why the last attempt failed. */
  failure: string;
}

export class Connection implements Timed {
  readonly id: number;
  readonly route: RouteState;
  /** CID of the downstream, where its transport knows it. */
  readonly cid: Cid | undefined;
  readonly down: Side;
  readonly up: Side;
  stage: Stage;
  /** Undefined once the connection is open. */
  handshake: Handshake | undefined;
  readonly acceptedMs: number;
  lastActivityMs: number;
  deadlineMs = 0;
  heapIndex = -1;

  constructor(id: number, route: RouteState, cid: Cid | undefined, stage: Stage, nowMs: number) {
    this.id = id;
    this.route = route;
    this.cid = cid;
    this.down = new Side(this, route.listenTransport);
    this.up = new Side(this, route.upstream.transport);
    this.stage = stage;
    this.handshake = {
      bytes: Buffer.alloc(0),
      isGssAnswered: false,
      upstream: route.upstream,
      addresses: [],
      resolving: undefined,
      connectDeadlineMs: 0,
      isRetry: false,
      failure: '',
    };
    this.acceptedMs = nowMs;
    this.lastActivityMs = nowMs;
  }

  onDeadline(engine: Engine): void {
    this.stage.onDeadline(engine, this);
  }

  abandon(engine: Engine, error: unknown): void {
    closeConnection(engine, this, 'internal', describeError(error));
  }
}
