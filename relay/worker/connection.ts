/**
 * One relayed connection: two sides, the stage that it is in, one deadline, and its only way out. Kept small: ten thousand idle
 * ones are nothing unusual. What only the time before the relaying needs hangs on `handshake`, which goes away with it.
 * The states and their order: states.ts.
 */
import { describeError } from '../../runtime/errors.ts';
import type { LogFields } from '../../runtime/log.ts';
import { EPOLLIN } from '../../system/libc/socket-constants.ts';
import type { Cid } from '../../wire/brands.ts';
import type { Source } from '../../wire/proxy-protocol.ts';
import { RelayError } from '../errors.ts';
import type { AddressAnswer } from './address-book.ts';
import type { Engine, NameWaiter, Queueable, Timed } from './engine.ts';
import { HANG_UP } from './engine.ts';
import type { Pending } from './pending.ts';
import type { RouteState, Sheddable } from './route-state.ts';
import type { CloseReason, StateName, Writing } from './states.ts';
import { CLOSINGS, mayFollow } from './states.ts';
import type { Transport } from './transport.ts';
import type { Upstream } from './upstream.ts';

/** What a connection does with events and with its deadline; one object for each state, shared by all connections. */
export interface Stage {
  readonly name: StateName;
  /** The downstream has not said yet what it wants (places.ts). */
  readonly isSilent?: true;
  onEvents(engine: Engine, side: Side, flags: number): void;
  onDeadline(engine: Engine, connection: Connection): void;
  /** The upstream's name is resolved, or can't be. */
  onAddresses?(engine: Engine, connection: Connection, answer: AddressAnswer): void;
}

/** What happens between accepting a connection and relaying it (policies/). */
export interface Policy {
  /** The connection was admitted; its downstream is readable or will be. */
  start(engine: Engine, connection: Connection): void;
  /** The upstream can take bytes. */
  connected(engine: Engine, connection: Connection): void;
  /** Dialling failed; `hasTimedOut` or refused. May answer the downstream; the connection is closed afterwards. */
  notConnected(engine: Engine, connection: Connection, hasTimedOut: boolean): void;
}

/** One socket of a connection. */
export class Side implements Queueable {
  /** -1: not open. */
  fd = -1;
  serial = 0;
  readonly connection: Connection;
  transport: Transport;
  /** Bytes received from this socket while relaying. */
  receivedBytes = 0;
  /** The state of the direction that ends here (states.ts). */
  writing: Writing = 'taking';
  /** Bytes to be written as soon as the socket takes them, while `full`. */
  pending: Pending | undefined = undefined;
  /** They wait although the socket has room (small-packets.ts). */
  isHeld = false;
  /** Small writes since the peer last showed that it reads; counted on vsock. */
  smallWrites = 0;
  /** The peer's kernel has reported room when its reader had read. */
  reportsRoom = false;
  /** The errno of a read ahead that failed: it counts when what came before is written. 0: none. */
  failedRead = 0;
  /** EPOLLRDHUP, EPOLLHUP or EPOLLERR was reported: from now on read until the end shows (K3). */
  isHungUp = false;
  /** How often room was reported in a row that nothing waited for; at ROOM_IN_VAIN nobody listens for it any more; -1: the first is still to come, and says nothing (room.ts). */
  roomInVain = -1;
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

  /** Closes the socket, if it is open. `isAborted`: a TCP peer is to see a reset (K6). */
  close(engine: Engine, isAborted: boolean): void {
    this.pending = undefined;
    if (this.fd < 0) return;
    engine.poller.forget(this);
    if (isAborted && this.transport.kind === 'tcp') engine.sockets.abort(this.fd);
    else engine.sockets.close(this.fd);
    this.fd = -1;
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

const nothing = () => undefined;
const ACCEPTED: Stage = { name: 'accepted', onEvents: nothing, onDeadline: nothing };
/** Late events and answers find it. */
const CLOSED: Stage = { name: 'closed', onEvents: nothing, onDeadline: nothing };

/** Who connected. */
export interface Peer {
  /** CID of the downstream, where its transport knows it. */
  readonly cid: Cid | undefined;
  /** What per-address limits count by (wire/networks.ts), where the transport has addresses. */
  readonly address: string | undefined;
  /** Its address and port, where the transport has them. */
  readonly source?: Source | undefined;
  /** A load balancer, which has not said yet whose connection it is: no limit by address holds. */
  readonly isBalancer?: true;
}

export class Connection implements Timed, NameWaiter, Sheddable {
  readonly id: number;
  readonly route: RouteState;
  readonly policy: Policy;
  #peer: Peer;
  readonly down: Side;
  readonly up: Side;
  #stage: Stage = ACCEPTED;
  /** Undefined once the connection is open. */
  handshake: Handshake | undefined;
  readonly acceptedMs: number;
  lastActivityMs: number;
  deadlineMs = 0;
  heapIndex = -1;
  /** What the downstream has sent behind the server's first words (places.ts). */
  proofBytes = 0;

  constructor(id: number, route: RouteState, policy: Policy, peer: Peer, nowMs: number) {
    this.id = id;
    this.route = route;
    this.policy = policy;
    this.#peer = peer;
    this.down = new Side(this, route.listenTransport);
    this.up = new Side(this, route.upstream.transport);
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

  get stage(): Stage {
    return this.#stage;
  }

  get isClosed(): boolean {
    return this.#stage === CLOSED;
  }

  get peer(): Peer {
    return this.#peer;
  }

  /** Moves on to another state; what it waits for there ends at `deadlineMs`. @param peer for whom it counts from now on */
  enter(engine: Engine, stage: Stage, deadlineMs: number, peer: Peer = this.#peer): void {
    this.#move(stage, peer);
    engine.deadlines.set(this, deadlineMs);
  }

  /** Has become known within a state. @param peer for whom it counts from now on */
  countsFor(peer: Peer): void {
    const { peers } = this.route;
    peers.remove(this);
    this.#peer = peer;
    peers.add(this);
    if (peers.silent.delete(this)) peers.silent.add(this, peer.address);
  }

  /** The upstream is there and the preface is over: from here on bytes are relayed both ways. */
  open(engine: Engine, stage: Stage): void {
    this.#move(stage);
    this.handshake = undefined;
    this.lastActivityMs = engine.nowMs;
    const { limits } = this.route;
    this.route.count('pending', -1);
    this.route.count('opened', 1);
    if (limits.idleTimeoutMs > 0) engine.deadlines.set(this, engine.nowMs + limits.idleTimeoutMs);
    else engine.deadlines.clear(this);
    this.#trace(engine, 'relay.opened', { connId: this.id, cid: this.peer.cid });
  }

  onDeadline(engine: Engine): void {
    this.#stage.onDeadline(engine, this);
  }

  onAddresses(engine: Engine, answer: AddressAnswer): void {
    this.#stage.onAddresses?.(engine, this, answer);
  }

  abandon(engine: Engine, error: unknown): void {
    this.close(engine, 'internal', describeError(error));
  }

  /** Reads what may have come since the last event; what it throws ends this connection only. */
  lookAgain(engine: Engine): void {
    try {
      this.#stage.onEvents(engine, this.down, EPOLLIN);
    } catch (error) {
      this.abandon(engine, error);
    }
  }

  /** Makes room. @param limit the one that is reached. */
  shed(engine: Engine, limit: string): void {
    this.close(engine, 'shed', limit);
  }

  /**
   * Closes both sockets, counts, logs, and notifies whoever waits for it. Idempotent. On `reset` the sockets are aborted, so
   * that the other peer cannot take a truncated stream for a whole one.
   * @param detail why, in the words of the system or of the policy; '' when the reason says all.
   */
  close(engine: Engine, reason: CloseReason, detail: string): void {
    if (this.isClosed) return;
    const { route, handshake } = this;
    this.#move(CLOSED);
    if (handshake?.resolving !== undefined) engine.addresses.forget(handshake.resolving, this);
    engine.deadlines.clear(this);
    const { counter, unopened } = CLOSINGS[reason];
    if (counter !== undefined) route.count(counter, 1);
    if (handshake !== undefined) {
      route.count(unopened, 1);
      route.count('pending', -1);
    }
    route.count('active', -1);
    route.peers.remove(this);
    this.down.close(engine, reason === 'reset');
    this.up.close(engine, reason === 'reset');
    this.#logClose(engine, reason, detail);
    route.drain?.onConnectionClosed(engine);
    engine.gate.onDescriptorsFreed(engine);
  }

  #move(stage: Stage, peer = this.#peer): void {
    if (!mayFollow(this.#stage.name, stage.name)) {
      throw new RelayError('RELAY_STATE', `a connection cannot go from ${this.#stage.name} to ${stage.name}`);
    }
    this.#stage = stage;
    const { route } = this;
    if (route.peers.silent.delete(this)) route.count('silent', -1);
    if (peer !== this.#peer) this.countsFor(peer);
    if (stage.isSilent !== true) return;
    route.peers.silent.add(this, this.#peer.address);
    route.count('silent', 1);
  }

  #logClose(engine: Engine, reason: CloseReason, detail: string): void {
    const { event, level } = CLOSINGS[reason];
    const fields: LogFields = {
      connId: this.id,
      cid: this.peer.cid,
      address: this.peer.address ?? this.peer.source?.address,
      reason: detail === '' ? reason : detail,
      durationMs: engine.nowMs - this.acceptedMs,
    };
    if (event !== undefined) engine.log.limited(level, event, this.route.label, fields);
    this.#trace(engine, 'relay.closed', fields);
  }

  #trace(engine: Engine, event: 'relay.opened' | 'relay.closed', fields: LogFields): void {
    if (engine.log.isTracing) engine.log.always('debug', event, { route: this.route.label, ...fields });
  }
}
