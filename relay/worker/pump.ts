/**
 * The stage in which bytes move. A readable side is read into the shared buffer and written on in the same turn; only what the
 * peer does not take is copied, and then the side is not read until the peer has taken it. Registered edge-triggered once,
 * so that the steady state costs two system calls a chunk.
 * Specification: relay.md, "Shape" and must hold 1-4, 9, 10.
 */

import { EAGAIN, EINTR, errnoName } from '../../system/libc/errno.ts';
import { lastErrno, NativeBuffer, recv, send, shutdown } from '../../system/libc/socket-calls.ts';
import {
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  MSG_NOSIGNAL,
  SHUT_WR,
} from '../../system/libc/socket-constants.ts';
import { closeConnection, isClosed } from './close.ts';
import type { Connection, Side, Stage } from './connection.ts';
import { isEndOfStream } from './end-of-stream.ts';
import type { Engine } from './engine.ts';
import { BUFFER_BYTES } from './engine.ts';

/** One read. The rest of the budget (32 KiB) is left to the other direction, so that neither can starve the other. */
const CHUNK_BYTES = 224 * 1024;
/** Reads in a row before other connections get their turn. */
const CHUNKS_PER_TURN = 4;
const READABLE = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
const DEAD = EPOLLHUP | EPOLLERR;

/** One write of at most what the transport allows. @returns bytes written, or -1 with errno set. */
function write(side: Side, address: number, length: number): number {
  const { transport } = side;
  const size = Math.min(length, transport.maxWriteBytes);
  const written = send(side.fd, address, size, MSG_NOSIGNAL);
  if (written > 0) {
    const { route } = side.connection;
    route.count(side.isDown ? 'bytesDown' : 'bytesUp', written);
    if (transport.isCapped) route.largest('largestVsockWriteBytes', written);
  }
  return written;
}

/**
 * Writes until all is written or the socket takes no more.
 * @returns bytes written, or the negative errno if the socket is dead.
 */
function writeAll(side: Side, address: number, length: number): number {
  let offset = 0;
  while (offset < length) {
    const size = Math.min(length - offset, side.transport.maxWriteBytes);
    const written = write(side, address + offset, size);
    if (written < 0) {
      const errno = lastErrno();
      if (errno === EINTR) continue;
      return errno === EAGAIN ? offset : -errno;
    }
    offset += written;
    if (written < size) break;
  }
  return offset;
}

function pendingBytes(side: Side): number {
  return side.pending?.length ?? 0;
}

/** Keeps `buffer[from..to)` until `side` takes it. */
function keep(engine: Engine, side: Side, from: number, to: number): void {
  const memory = new NativeBuffer(to - from);
  engine.buffer.bytes.copy(memory.bytes, 0, from, to);
  side.pending = { memory, length: to - from, offset: 0 };
  side.connection.route.largest('largestPendingBytes', pendingBytes(side) + pendingBytes(side.peer));
}

/** Both directions have come to their end, in order or not. */
function closeIfDone(engine: Engine, connection: Connection): void {
  const { down, up } = connection;
  if (!(down.isShut || down.isBroken) || !(up.isShut || up.isBroken)) return;
  closeConnection(engine, connection, down.isBroken || up.isBroken ? 'broken' : 'finished', '');
}

/** The peer's end was read and everything before it is written. */
function passEnd(engine: Engine, side: Side): void {
  shutdown(side.fd, SHUT_WR);
  side.isShut = true;
  closeIfDone(engine, side.connection);
}

/** Nothing can be written to `side` any more; what it still has to say is passed on. */
function onWriteFailure(engine: Engine, side: Side): void {
  side.isBroken = true;
  side.isHungUp = true;
  side.pending = undefined;
  closeIfDone(engine, side.connection);
  if (!isClosed(side.connection)) pump(engine, side);
}

function onNothingRead(engine: Engine, from: Side, got: number): void {
  if (got < 0) {
    const errno = lastErrno();
    if (errno === EAGAIN) return;
    if (errno === EINTR) engine.requeue(from);
    else closeConnection(engine, from.connection, from.isBroken ? 'broken' : 'reset', errnoName(errno));
    return;
  }
  const { transport, receivedBytes, isHungUp } = from;
  if (!isEndOfStream({ isVsock: transport.isVsock, receivedBytes, isHungUp })) return;
  from.isEnded = true;
  passEnd(engine, from.peer);
}

/** Moves what `from` has to offer, until it is drained, its peer takes no more, or its share of the turn is used up. */
function pump(engine: Engine, from: Side): void {
  const to = from.peer;
  if (from.isEnded || to.isBroken || to.pending !== undefined) return;
  const { connection } = from;
  for (let chunk = 0; chunk < CHUNKS_PER_TURN; chunk++) {
    const want = Math.min(CHUNK_BYTES, BUFFER_BYTES - pendingBytes(from));
    const got = recv(from.fd, engine.buffer.address, want, 0);
    if (got <= 0) {
      onNothingRead(engine, from, got);
      return;
    }
    from.receivedBytes += got;
    connection.lastActivityMs = engine.nowMs;
    const written = writeAll(to, engine.buffer.address, got);
    if (written < 0) {
      onWriteFailure(engine, to);
      return;
    }
    if (written < got) {
      keep(engine, to, written, got);
      return;
    }
    if (got < want && !from.isHungUp) return;
  }
  engine.requeue(from);
}

/** Writes what waits for `side`, then reads its peer again. */
function flush(engine: Engine, side: Side): void {
  const { pending } = side;
  if (pending === undefined) return;
  const written = writeAll(side, pending.memory.address + pending.offset, pending.length - pending.offset);
  if (written < 0) {
    onWriteFailure(engine, side);
    return;
  }
  if (written > 0) side.connection.lastActivityMs = engine.nowMs;
  pending.offset += written;
  if (pending.offset < pending.length) return;
  side.pending = undefined;
  pump(engine, side.peer);
}

const OPEN: Stage = {
  name: 'open',
  onEvents(engine, side, flags) {
    const { connection } = side;
    if ((flags & EPOLLOUT) !== 0) flush(engine, side);
    if ((flags & READABLE) !== 0 && !isClosed(connection)) pump(engine, side);
    if ((flags & DEAD) !== 0 && side.peer.isBroken) closeConnection(engine, connection, 'broken', '');
  },
  onDeadline(engine, connection) {
    const dueMs = connection.lastActivityMs + connection.route.limits.idleTimeoutMs;
    if (engine.nowMs >= dueMs) closeConnection(engine, connection, 'idle', '');
    else engine.deadlines.set(connection, dueMs);
  },
};

/**
 * From here on bytes are relayed both ways.
 * @param early bytes of the downstream that were read with its preface and belong to the stream.
 */
export function openConnection(engine: Engine, connection: Connection, early: Buffer): void {
  const { route, down, up } = connection;
  connection.handshake = undefined;
  connection.stage = OPEN;
  connection.lastActivityMs = engine.nowMs;
  route.count('pending', -1);
  route.count('opened', 1);
  if (route.limits.idleTimeoutMs > 0) engine.deadlines.set(connection, engine.nowMs + route.limits.idleTimeoutMs);
  else engine.deadlines.clear(connection);
  if (engine.log.isTracing) {
    engine.log.always('debug', 'relay.opened', { route: route.label, connId: connection.id, cid: connection.cid });
  }
  if (early.length > 0) {
    early.copy(engine.buffer.bytes);
    keep(engine, up, 0, early.length);
    flush(engine, up);
  } else pump(engine, down);
  if (!isClosed(connection)) pump(engine, up);
}
