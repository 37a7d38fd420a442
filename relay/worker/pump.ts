/**
 * The stage in which bytes move. A readable side is read into the shared buffer and written on in the same turn; only what the
 * peer does not take is copied, and then the side is not read until the peer has taken it; only a vsock side is, for its kernel counts
 * packets (small-packets.ts): what it still sends is joined behind what waits. Registered edge-triggered once,
 * so that the steady state costs two system calls a chunk. The states of each direction: states.ts.
 * Room to write is watched for as room.ts says.
 * Specification: relay.md, "Shape", "What the engine relies on" (K1, K2, K3, K5, K9, K15, K16) and must hold 1-4, 9, 10, 13.
 */

import { EAGAIN, EINTR, errnoName } from '../../system/libc/errno.ts';
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP } from '../../system/libc/socket-constants.ts';
import type { Connection, Side, Stage } from './connection.ts';
import { isEndOfStream } from './end-of-stream.ts';
import type { Engine } from './engine.ts';
import { BUFFER_BYTES } from './engine.ts';
import { Pending } from './pending.ts';
import { noteProof } from './places.ts';
import { noteReset } from './resets.ts';
import { awaitRoom, listenForRoom, onRoomInVain } from './room.ts';
import { isJoined, isWatchDue, MAX_HOLD_MS, mustHold, noteAnswer, noteRoom, noteWrite } from './small-packets.ts';

/** One read. The rest of the budget (32 KiB) is left to the other direction, so that neither can starve the other. */
const CHUNK_BYTES = 224 * 1024;
/** Reads in a row before other connections get their turn. */
const CHUNKS_PER_TURN = 4;
/** Read ahead goes on when so much is free again. */
const MIN_AHEAD_BYTES = 16 * 1024;
const NEVER_MS = Number.POSITIVE_INFINITY;
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
    noteWrite(side, written);
    offset += written;
    // Less than offered: the socket is full and reports when it is not (K2).
    if (written < size) break;
  }
  return offset;
}

/** Memory that waits for the side. */
function heldBytes(side: Side): number {
  return side.pending?.heldBytes ?? 0;
}

/** Keeps `buffer[from..to)` until `side` takes it. */
function keep(engine: Engine, side: Side, from: number, to: number): void {
  side.writing = 'full';
  side.pending = new Pending(engine.buffer.bytes.subarray(from, to));
  noteHeld(side);
  awaitRoom(engine, side);
}

function noteHeld(side: Side): void {
  side.connection.route.largest('largestPendingBytes', heldBytes(side) + heldBytes(side.peer));
}

/** Keeps the first bytes of the buffer although `side` has room, so that more come to them (K16). */
function hold(engine: Engine, side: Side, length: number): void {
  keep(engine, side, 0, length);
  side.isHeld = true;
  side.connection.route.count('heldBack', 1);
  setDeadline(engine, side.connection);
}

/** The idle time-out, or when what is held back has to go. */
function setDeadline(engine: Engine, connection: Connection): void {
  const { limits } = connection.route;
  const idleMs = limits.idleTimeoutMs > 0 ? connection.lastActivityMs + limits.idleTimeoutMs : NEVER_MS;
  const heldMs = connection.down.isHeld || connection.up.isHeld ? engine.nowMs + MAX_HOLD_MS : NEVER_MS;
  const dueMs = Math.min(idleMs, heldMs);
  if (dueMs < NEVER_MS) engine.deadlines.set(connection, dueMs);
  else engine.deadlines.clear(connection);
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
function onWriteFailure(engine: Engine, side: Side, errno: number): void {
  noteReset(side.connection.route, 'open', errno);
  side.writing = 'broken';
  side.isHungUp = true;
  side.isHeld = false;
  side.pending = undefined;
  closeIfDone(engine, side.connection);
  if (!side.connection.isClosed) pump(engine, side);
}

function onReadFailure(engine: Engine, from: Side, errno: number): void {
  const { connection, writing } = from;
  noteReset(connection.route, 'open', errno);
  connection.close(engine, writing === 'broken' ? 'broken' : 'reset', errnoName(errno));
}

/** @param got what recv() returned: 0 or a negative errno. */
function onNothingRead(engine: Engine, from: Side, got: number): void {
  if (got === -EAGAIN) return;
  if (got === -EINTR) engine.requeue(from);
  else if (got < 0) onReadFailure(engine, from, -got);
  else {
    const { transport, receivedBytes, isHungUp } = from;
    if (isEndOfStream({ isVsock: transport.isVsock, receivedBytes, isHungUp })) passEnd(engine, from.peer);
  }
}

function noteReceived(engine: Engine, from: Side, bytes: number): void {
  const { connection } = from;
  from.receivedBytes += bytes;
  connection.lastActivityMs = engine.nowMs;
  noteAnswer(from);
  if (from.isDown) noteProof(connection, bytes);
}

/** What may be read behind what waits for `side`: its peer's direction keeps its share of the budget. */
function roomBehind({ peer, pending }: Side): number {
  return Math.min(CHUNK_BYTES, BUFFER_BYTES - heldBytes(peer)) - (pending?.length ?? 0);
}

/**
 * Reads a vsock side whose peer takes nothing now, so that few packets wait in the kernel, and joins what comes; any side whose peer's
 * bytes are held back. An end or a failure is dealt with when what came before is written.
 */
function readAhead(engine: Engine, from: Side): void {
  const to = from.peer;
  const { pending } = to;
  if (pending === undefined || from.failedRead !== 0 || !(from.transport.isVsock || to.isHeld)) return;
  const maxBytes = roomBehind(to) + pending.length;
  for (let chunk = 0; chunk < CHUNKS_PER_TURN; chunk++) {
    const want = roomBehind(to);
    if (want < MIN_AHEAD_BYTES) return;
    const got = engine.sockets.recv(from.fd, engine.buffer.address, want, 0);
    if (got === -EINTR) break;
    if (got <= 0) {
      if (got < 0 && got !== -EAGAIN) from.failedRead = -got;
      if (got !== -EAGAIN && to.isHeld) flush(engine, to);
      return;
    }
    noteReceived(engine, from, got);
    pending.append(engine.buffer.bytes.subarray(0, got), maxBytes);
    noteHeld(to);
    if (isJoined(to)) {
      flush(engine, to);
      return;
    }
    if (got < want) return;
  }
  engine.requeue(from);
}

/** Moves what `from` has to offer, until it is drained, its peer takes no more, or its share of the turn is used up. */
function pump(engine: Engine, from: Side): void {
  const to = from.peer;
  if (to.writing !== 'taking') {
    if (to.writing === 'full') readAhead(engine, from);
    return;
  }
  if (from.failedRead !== 0) {
    onNothingRead(engine, from, -from.failedRead);
    return;
  }
  for (let chunk = 0; chunk < CHUNKS_PER_TURN; chunk++) {
    const want = Math.min(CHUNK_BYTES, BUFFER_BYTES - heldBytes(from));
    const got = engine.sockets.recv(from.fd, engine.buffer.address, want, 0);
    if (got <= 0) {
      onNothingRead(engine, from, got);
      return;
    }
    noteReceived(engine, from, got);
    if (mustHold(to, got)) {
      hold(engine, to, got);
      return;
    }
    const written = writeAll(engine, to, engine.buffer.address, got);
    if (written < 0) {
      onWriteFailure(engine, to, -written);
      return;
    }
    if (written < got) {
      keep(engine, to, written, got);
      return;
    }
    if (isWatchDue(to)) listenForRoom(engine, to);
    // Less than asked for: drained, and the next byte reports itself (K1); an end that was reported already does not (K3).
    if (got < want && !from.isHungUp) return;
  }
  engine.requeue(from);
}

/** Writes what waits for `side`, then reads its peer again. */
function flush(engine: Engine, side: Side): void {
  const { pending } = side;
  if (pending === undefined) return;
  side.isHeld = false;
  const written = writeAll(engine, side, pending.address, pending.length);
  if (written < 0) {
    onWriteFailure(engine, side, -written);
    return;
  }
  if (written > 0) side.connection.lastActivityMs = engine.nowMs;
  pending.consume(written);
  if (pending.length > 0) {
    readAhead(engine, side.peer);
    return;
  }
  side.pending = undefined;
  side.writing = 'taking';
  pump(engine, side.peer);
}

const OPEN: Stage = {
  name: 'open',
  onEvents(engine, side, flags) {
    const { connection } = side;
    if (side.pending !== undefined && (flags & EPOLLOUT) !== 0) {
      if ((flags & EPOLLIN) === 0) noteRoom(side);
      flush(engine, side);
    } else if (flags === EPOLLOUT) onRoomInVain(engine, side);
    if ((flags & READABLE) !== 0 && !connection.isClosed) pump(engine, side);
    if ((flags & DEAD) !== 0 && side.peer.writing === 'broken') connection.close(engine, 'broken', '');
  },
  onDeadline(engine, connection) {
    for (const side of [connection.down, connection.up]) if (side.isHeld) flush(engine, side);
    if (connection.isClosed) return;
    const { idleTimeoutMs } = connection.route.limits;
    const isIdle = idleTimeoutMs > 0 && engine.nowMs >= connection.lastActivityMs + idleTimeoutMs;
    if (isIdle) connection.close(engine, 'idle', '');
    else setDeadline(engine, connection);
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
