/**
 * The stage in which bytes move. A readable side is read into the shared buffer and written on in the same turn; only what the
 * peer does not take is copied, and then the side is not read until the peer has taken it. Registered edge-triggered once,
 * so that the steady state costs two system calls a chunk. The states of each direction: states.ts.
 * Unix sockets and vsock report room whenever the peer has read, so that each small message would wake the relay once more: where that
 * was in vain a few times, room is watched for only from the next write on that does not go through.
 * Specification: relay.md, "Shape", "What the engine relies on" (K1, K2, K3, K5, K9, K15) and must hold 1-4, 9, 10.
 */

import { EAGAIN, EINTR, errnoName } from '../../system/libc/errno.ts';
import { NativeBuffer } from '../../system/libc/socket-calls.ts';
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP } from '../../system/libc/socket-constants.ts';
import type { Connection, Side, Stage } from './connection.ts';
import { isEndOfStream } from './end-of-stream.ts';
import type { Engine } from './engine.ts';
import { BUFFER_BYTES, QUIET_EVENTS, SOCKET_EVENTS } from './engine.ts';
import { noteProof } from './places.ts';

/** One read. The rest of the budget (32 KiB) is left to the other direction, so that neither can starve the other. */
const CHUNK_BYTES = 224 * 1024;
/** Reads in a row before other connections get their turn. */
const CHUNKS_PER_TURN = 4;
/** Reports of room for which nothing waited, in a row, until it is not watched for. */
const ROOM_IN_VAIN = 4;
const READABLE = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
const DEAD = EPOLLHUP | EPOLLERR;

/**
 * Writes until all is written or the socket takes no more, each time at most what the transport allows.
 * @returns bytes written, or the negative errno if the socket is dead.
 */
function writeAll(engine: Engine, side: Side, address: number, length: number): number {
  const { transport } = side;
  const { route } = side.connection;
  let offset = 0;
  while (offset < length) {
    const size = Math.min(length - offset, transport.maxWriteBytes);
    const written = engine.sockets.send(side.fd, address + offset, size);
    if (written === -EINTR) continue;
    if (written < 0) return written === -EAGAIN ? offset : written;
    route.count(side.isDown ? 'bytesDown' : 'bytesUp', written);
    if (transport.isCapped) route.largest('largestVsockWriteBytes', written);
    offset += written;
    // Less than offered: the socket is full and reports when it is not (K2).
    if (written < size) break;
  }
  return offset;
}

function pendingBytes(side: Side): number {
  return side.pending?.length ?? 0;
}

/** Changes what is watched for; epoll then looks once at what is already so, and no edge is lost (K15). */
function watch(engine: Engine, side: Side, events: number): void {
  const errno = engine.poller.change(side, events);
  if (errno !== 0) side.connection.close(engine, 'internal', errnoName(errno));
}

/** Room is there that nothing waits for. */
function onRoomInVain(engine: Engine, side: Side): void {
  if (side.roomInVain >= ROOM_IN_VAIN) return;
  side.roomInVain += 1;
  if (side.roomInVain === ROOM_IN_VAIN) watch(engine, side, QUIET_EVENTS);
}

/** Keeps `buffer[from..to)` until `side` takes it. */
function keep(engine: Engine, side: Side, from: number, to: number): void {
  const memory = new NativeBuffer(to - from);
  engine.buffer.bytes.copy(memory.bytes, 0, from, to);
  side.writing = 'full';
  side.pending = { memory, length: to - from, offset: 0 };
  side.connection.route.largest('largestPendingBytes', pendingBytes(side) + pendingBytes(side.peer));
  if (side.roomInVain === ROOM_IN_VAIN) watch(engine, side, SOCKET_EVENTS);
  side.roomInVain = 0;
}

function isOver({ writing }: Side): boolean {
  return writing === 'shut' || writing === 'broken';
}

/** Both directions have come to their end, in order or not. */
function closeIfDone(engine: Engine, connection: Connection): void {
  const { down, up } = connection;
  if (!isOver(down) || !isOver(up)) return;
  connection.close(engine, down.writing === 'broken' || up.writing === 'broken' ? 'broken' : 'finished', '');
}

/**
 * The peer's end was read and everything before it is written. The last end of a connection goes out with close(); not on vsock, whose
 * close() says more than that.
 */
function passEnd(engine: Engine, side: Side): void {
  if (!isOver(side.peer) || side.transport.isVsock) engine.sockets.endWriting(side.fd);
  side.writing = 'shut';
  closeIfDone(engine, side.connection);
}

/** Nothing can be written to `side` any more; what it still has to say is passed on. */
function onWriteFailure(engine: Engine, side: Side): void {
  side.writing = 'broken';
  side.isHungUp = true;
  side.pending = undefined;
  closeIfDone(engine, side.connection);
  if (!side.connection.isClosed) pump(engine, side);
}

/** @param got what recv() returned: 0 or a negative errno. */
function onNothingRead(engine: Engine, from: Side, got: number): void {
  if (got === -EAGAIN) return;
  if (got === -EINTR) engine.requeue(from);
  else if (got < 0) from.connection.close(engine, from.writing === 'broken' ? 'broken' : 'reset', errnoName(-got));
  else {
    const { transport, receivedBytes, isHungUp } = from;
    if (isEndOfStream({ isVsock: transport.isVsock, receivedBytes, isHungUp })) passEnd(engine, from.peer);
  }
}

/** Moves what `from` has to offer, until it is drained, its peer takes no more, or its share of the turn is used up. */
function pump(engine: Engine, from: Side): void {
  const to = from.peer;
  if (to.writing !== 'taking') return;
  const { connection } = from;
  for (let chunk = 0; chunk < CHUNKS_PER_TURN; chunk++) {
    const want = Math.min(CHUNK_BYTES, BUFFER_BYTES - pendingBytes(from));
    const got = engine.sockets.recv(from.fd, engine.buffer.address, want, 0);
    if (got <= 0) {
      onNothingRead(engine, from, got);
      return;
    }
    from.receivedBytes += got;
    connection.lastActivityMs = engine.nowMs;
    if (from.isDown) noteProof(connection, got);
    const written = writeAll(engine, to, engine.buffer.address, got);
    if (written < 0) {
      onWriteFailure(engine, to);
      return;
    }
    if (written < got) {
      keep(engine, to, written, got);
      return;
    }
    // Less than asked for: drained, and the next byte reports itself (K1); an end that was reported already does not (K3).
    if (got < want && !from.isHungUp) return;
  }
  engine.requeue(from);
}

/** Writes what waits for `side`, then reads its peer again. */
function flush(engine: Engine, side: Side): void {
  const { pending } = side;
  if (pending === undefined) return;
  const { address } = pending.memory;
  const written = writeAll(engine, side, address + pending.offset, pending.length - pending.offset);
  if (written < 0) {
    onWriteFailure(engine, side);
    return;
  }
  if (written > 0) side.connection.lastActivityMs = engine.nowMs;
  pending.offset += written;
  if (pending.offset < pending.length) return;
  side.pending = undefined;
  side.writing = 'taking';
  pump(engine, side.peer);
}

const OPEN: Stage = {
  name: 'open',
  onEvents(engine, side, flags) {
    const { connection } = side;
    if (side.pending !== undefined && (flags & EPOLLOUT) !== 0) flush(engine, side);
    else if (flags === EPOLLOUT) onRoomInVain(engine, side);
    if ((flags & READABLE) !== 0 && !connection.isClosed) pump(engine, side);
    if ((flags & DEAD) !== 0 && side.peer.writing === 'broken') connection.close(engine, 'broken', '');
  },
  onDeadline(engine, connection) {
    const dueMs = connection.lastActivityMs + connection.route.limits.idleTimeoutMs;
    if (engine.nowMs >= dueMs) connection.close(engine, 'idle', '');
    else engine.deadlines.set(connection, dueMs);
  },
};

/**
 * From here on bytes are relayed both ways.
 * @param early bytes of the downstream that were read with its preface and belong to the stream.
 */
export function openConnection(engine: Engine, connection: Connection, early: Buffer): void {
  const { down, up } = connection;
  connection.open(engine, OPEN);
  if (early.length > 0) {
    early.copy(engine.buffer.bytes);
    keep(engine, up, 0, early.length);
    flush(engine, up);
  } else pump(engine, down);
  if (!connection.isClosed) pump(engine, up);
}
