/**
 * Takes bytes off the front of a stream that nobody else reads yet, and leaves the rest to whoever comes next. One listener stays for
 * the whole wait: Node tells each new listener of `readable` at once about bytes that are too few, so that one listener a round would
 * spin for ever on a packet that has come in part.
 */
import type { Duplex } from 'node:stream';
import { SessionError } from '../postgres/session-error.ts';
import { untilAborted } from '../runtime/abort.ts';

const EMPTY = Buffer.alloc(0);

/** @param from who is at the other end, for the error. @throws SessionError 08006 when the stream ends first; the signal's reason */
export function takeBytes(socket: Duplex, bytes: number, from: string, signal: AbortSignal): Promise<Buffer> {
  const take = () => {
    // A stream is never asked for none: it would say that there is nothing.
    const chunk: Buffer | null = bytes === 0 ? EMPTY : socket.read(bytes);
    // A stream that has ended gives what is left.
    if (chunk && chunk.length < bytes) throw gone(from);
    return chunk;
  };
  return takeWhen(socket, take, from, signal);
}

/** At least one byte, and what else is there already. @throws as takeBytes */
export function takeSome(socket: Duplex, maxBytes: number, from: string, signal: AbortSignal): Promise<Buffer> {
  const take = () =>
    socket.readableLength === 0 ? socket.read() : socket.read(Math.min(maxBytes, socket.readableLength));
  return takeWhen(socket, take, from, signal);
}

function gone(from: string): SessionError {
  return new SessionError('08006', `${from} went away`);
}

async function takeWhen(socket: Duplex, take: () => Buffer | null, from: string, signal: AbortSignal): Promise<Buffer> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const stop = () => socket.off('readable', attempt).off('end', end).off('close', end);
  function end(): void {
    stop();
    reject(gone(from));
  }
  function attempt(): void {
    try {
      const bytes = take();
      if (!bytes) return;
      stop();
      resolve(bytes);
    } catch (error) {
      stop();
      reject(error);
    }
  }
  socket.on('readable', attempt).on('end', end).on('close', end);
  attempt();
  if (socket.destroyed || socket.readableEnded) end();
  return untilAborted(promise, signal).finally(stop);
}
