/** Reads and writes of a few bytes, for prefaces. They use the engine's buffer and return copies; never on the path of bulk data. */

import { EAGAIN, errnoName } from '../../system/libc/errno.ts';
import { MSG_PEEK } from '../../system/libc/socket-constants.ts';
import type { Side } from './connection.ts';
import { isEndOfStream } from './end-of-stream.ts';
import type { Engine } from './engine.ts';

export interface SmallRead {
  /** What is there; empty when there is nothing yet, or nothing more. */
  readonly bytes: Buffer;
  /** `end` or the name of the error, once nothing can follow. */
  readonly end: string | undefined;
}

const NOTHING = Buffer.alloc(0);
/** How much of an unwanted request is read away before its sender is cut off. */
const DISCARD_BYTES = 64 * 1024;

/** A side, or what precedes one. */
export type SmallSocket = Pick<Side, 'fd' | 'transport' | 'receivedBytes' | 'isHungUp'>;

function readOnce(engine: Engine, socket: SmallSocket, maxBytes: number, flags: number): SmallRead {
  const got = engine.sockets.recv(socket.fd, engine.buffer.address, maxBytes, flags);
  if (got > 0) return { bytes: Buffer.from(engine.buffer.bytes.subarray(0, got)), end: undefined };
  if (got === 0) {
    const { transport, receivedBytes, isHungUp } = socket;
    const isEnd = isEndOfStream({ isVsock: transport.isVsock, receivedBytes, isHungUp });
    return { bytes: NOTHING, end: isEnd ? 'end of stream' : undefined };
  }
  return { bytes: NOTHING, end: got === -EAGAIN ? undefined : errnoName(-got) };
}

export function read(engine: Engine, socket: SmallSocket, maxBytes: number): SmallRead {
  const result = readOnce(engine, socket, maxBytes, 0);
  socket.receivedBytes += result.bytes.length;
  return result;
}

/** Looks at what is there and leaves it there. */
export function peek(engine: Engine, socket: SmallSocket, maxBytes: number): SmallRead {
  return readOnce(engine, socket, maxBytes, MSG_PEEK);
}

/** Takes bytes that were peeked at. */
export function consume(engine: Engine, socket: SmallSocket, length: number): void {
  read(engine, socket, length);
}

/** Sends a few bytes to a socket whose buffer is empty. @returns whether all of them went. */
export function sendWhole(engine: Engine, socket: SmallSocket, bytes: Buffer): boolean {
  bytes.copy(engine.buffer.bytes);
  return engine.sockets.send(socket.fd, engine.buffer.address, bytes.length) === bytes.length;
}

/** Last words before a close: sent, and what the peer had sent is read away, because closing over it would reset the words. */
export function sendLastWords(engine: Engine, socket: SmallSocket, bytes: Buffer): void {
  sendWhole(engine, socket, bytes);
  engine.sockets.endWriting(socket.fd);
  engine.sockets.recv(socket.fd, engine.buffer.address, DISCARD_BYTES, 0);
}
