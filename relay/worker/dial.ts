/**
 * From the decision to dial until the upstream can take bytes: name resolution, one address after the other in the order
 * given (RFC 8305 section 4; one at a time, each with an even share of the time that is left), then the `CONNECT` line of
 * hybrid sockets. The downstream is not read meanwhile.
 */

import { describeErrno, EAGAIN, EINPROGRESS, ETIMEDOUT, isShortage } from '../../system/libc/errno.ts';
import { encodeInet } from '../../system/libc/sockaddr.ts';
import { EPOLLERR, EPOLLHUP, EPOLLOUT } from '../../system/libc/socket-constants.ts';
import { encodeConnectLine, MAX_HYBRID_LINE_BYTES, parseOkLine } from '../preface/hybrid.ts';
import type { AddressAnswer } from './address-book.ts';
import type { Connection, Handshake, Stage } from './connection.ts';
import type { Engine } from './engine.ts';
import { SOCKET_EVENTS } from './engine.ts';
import { noteConnectFailure } from './resets.ts';
import { consume, peek, sendWhole } from './small-io.ts';
import type { Upstream } from './upstream.ts';

const BACKLOG_RETRY_MS = 10;

function fail(engine: Engine, connection: Connection, hasTimedOut: boolean): void {
  const failure = connection.handshake?.failure ?? '';
  const name = connection.handshake?.upstream.name;
  if (name !== undefined) engine.addresses.doubt(name.host, engine.nowMs);
  connection.policy.notConnected(engine, connection, hasTimedOut);
  connection.close(engine, 'connect-failed', hasTimedOut && failure === '' ? 'time-out' : failure);
}

/** The even share of the time left for the address that is being tried, and for those behind it. */
function attemptDeadline(engine: Engine, handshake: Handshake): number {
  const leftMs = handshake.connectDeadlineMs - engine.nowMs;
  return engine.nowMs + Math.max(1, Math.floor(leftMs / (handshake.addresses.length + 1)));
}

/** A socket for the address; when descriptors have run out, with the help of the reserve. @returns it, or a negative errno. */
function openUpstreamSocket(engine: Engine, address: Buffer): number {
  const fd = engine.sockets.open(address);
  if (fd >= 0 || !isShortage(-fd)) return fd;
  engine.gate.pause(engine, -fd);
  return engine.gate.lendReserve() ? engine.sockets.open(address) : fd;
}

/** Begins to connect to `address`. @returns 0 when connected or on the way, else an errno. */
function attempt(engine: Engine, connection: Connection, handshake: Handshake, address: Buffer): number {
  const { up } = connection;
  const fd = openUpstreamSocket(engine, address);
  if (fd < 0) return -fd;
  up.fd = fd;
  up.isHungUp = false;
  const errno = engine.sockets.connect(fd, address);
  const isOnTheWay = errno === 0 || errno === EINPROGRESS;
  const failure = isOnTheWay ? engine.poller.add(up, SOCKET_EVENTS) : errno;
  if (failure !== 0) {
    up.close(engine, false);
    return failure;
  }
  engine.deadlines.set(connection, attemptDeadline(engine, handshake));
  if (errno === 0) onConnected(engine, connection, handshake);
  return 0;
}

function tryNext(engine: Engine, connection: Connection, handshake: Handshake): void {
  for (let address = handshake.addresses.shift(); address !== undefined; address = handshake.addresses.shift()) {
    const errno = attempt(engine, connection, handshake, address);
    if (errno === 0) return;
    if (errno === EAGAIN) {
      handshake.addresses.unshift(address);
      handshake.isRetry = true;
      const retryMs = Math.min(engine.nowMs + BACKLOG_RETRY_MS, handshake.connectDeadlineMs);
      engine.deadlines.set(connection, retryMs);
      return;
    }
    handshake.failure = describeErrno(errno);
    noteConnectFailure(engine, connection.route, errno);
  }
  fail(engine, connection, false);
}

function onConnected(engine: Engine, connection: Connection, handshake: Handshake): void {
  connection.route.connectsReset = 0;
  const { hybridPort } = handshake.upstream;
  if (hybridPort === undefined) {
    connection.policy.connected(engine, connection);
    return;
  }
  connection.enter(engine, HYBRID_ANSWER, handshake.connectDeadlineMs);
  if (!sendWhole(engine, connection.up, encodeConnectLine(hybridPort))) {
    handshake.failure = 'the hybrid socket took no CONNECT line';
    fail(engine, connection, false);
  } else onHybridAnswer(engine, connection, handshake);
}

function onHybridAnswer(engine: Engine, connection: Connection, handshake: Handshake): void {
  const { bytes, end } = peek(engine, connection.up, MAX_HYBRID_LINE_BYTES);
  const line = parseOkLine(bytes);
  if (line.kind === 'port') {
    consume(engine, connection.up, line.length);
    connection.policy.connected(engine, connection);
  } else if (line.kind === 'malformed' || end !== undefined) {
    handshake.failure = line.kind === 'malformed' ? 'no OK line from the hybrid socket' : `hybrid socket: ${end}`;
    fail(engine, connection, false);
  }
}

/** The downstream has gone and left nothing that would have to be passed on. */
function isDownstreamGone(engine: Engine, connection: Connection, flags: number): boolean {
  return (flags & (EPOLLHUP | EPOLLERR)) !== 0 && peek(engine, connection.down, 1).bytes.length === 0;
}

function onUpstreamEvents(engine: Engine, connection: Connection, handshake: Handshake, flags: number): void {
  const errno = engine.sockets.takeError(connection.up.fd);
  if (errno === 0) {
    if ((flags & EPOLLOUT) !== 0) onConnected(engine, connection, handshake);
    return;
  }
  handshake.failure = describeErrno(errno);
  noteConnectFailure(engine, connection.route, errno);
  connection.up.close(engine, false);
  tryNext(engine, connection, handshake);
}

/** Goes on with the addresses of the upstream's name, or fails for the lack of any. */
function onAddresses(engine: Engine, connection: Connection, answer: AddressAnswer): void {
  const { handshake } = connection;
  const name = handshake?.upstream.name;
  if (handshake === undefined || name === undefined) return;
  handshake.resolving = undefined;
  handshake.failure = 'failure' in answer ? answer.failure : `${name.host} has no address`;
  const addresses = 'failure' in answer ? [] : answer.addresses;
  handshake.addresses = addresses
    .map(({ address }) => encodeInet(address, name.port))
    .filter((encoded) => encoded !== undefined);
  tryNext(engine, connection, handshake);
}

const DIALLING: Stage = {
  name: 'dialling',
  onEvents(engine, side, flags) {
    const { connection } = side;
    const { handshake } = connection;
    if (handshake === undefined) return;
    if (!side.isDown) onUpstreamEvents(engine, connection, handshake, flags);
    else if (isDownstreamGone(engine, connection, flags)) connection.close(engine, 'gone', '');
  },
  onDeadline(engine, connection) {
    const { handshake } = connection;
    if (handshake === undefined) return;
    if (engine.nowMs >= handshake.connectDeadlineMs) {
      fail(engine, connection, true);
      return;
    }
    if (!handshake.isRetry) handshake.failure = describeErrno(ETIMEDOUT);
    handshake.isRetry = false;
    connection.up.close(engine, false);
    tryNext(engine, connection, handshake);
  },
  onAddresses,
};

const HYBRID_ANSWER: Stage = {
  name: 'hybrid-answer',
  onEvents(engine, side, flags) {
    const { connection } = side;
    const { handshake } = connection;
    if (handshake === undefined) return;
    if (!side.isDown) onHybridAnswer(engine, connection, handshake);
    else if (isDownstreamGone(engine, connection, flags)) connection.close(engine, 'gone', '');
  },
  onDeadline(engine, connection) {
    fail(engine, connection, true);
  },
};

/** Starts dialling; ends in the policy's `connected` or `notConnected`. */
export function dial(engine: Engine, connection: Connection, upstream: Upstream): void {
  const { handshake } = connection;
  if (handshake === undefined) return;
  connection.up.transport = upstream.transport;
  handshake.upstream = upstream;
  handshake.connectDeadlineMs = engine.nowMs + connection.route.limits.connectTimeoutMs;
  connection.enter(engine, DIALLING, handshake.connectDeadlineMs);
  if (upstream.name === undefined) {
    handshake.addresses = [...upstream.addresses];
    tryNext(engine, connection, handshake);
    return;
  }
  handshake.resolving = upstream.name.host;
  const known = engine.addresses.lookup(upstream.name.host, engine.nowMs, connection);
  if (known !== undefined) onAddresses(engine, connection, known);
}
