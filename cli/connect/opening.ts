/**
 * What a local client says first: TLS and GSSAPI encryption are not offered, for nothing leaves this machine between it and us; a
 * start-up packet or a CancelRequest goes on as it is. Source: PostgreSQL 18, "Message Flow" and "Message Formats".
 */
import type { Socket } from 'node:net';
import { CANCEL_REQUEST_CODE } from '../../postgres/cancel-request.ts';
import { SessionError } from '../../postgres/session-error.ts';
import { ENCRYPTION_REQUEST_CODES, isStartupLength, OPENING_BYTES, TLS_ANSWERS } from '../../postgres/start-up.ts';
import { untilAborted } from '../../runtime/abort.ts';

/** SSLRequest and GSSENCRequest, once each, as PostgreSQL takes them. */
const MAX_ENCRYPTION_REQUESTS = 2;

export interface Opening {
  readonly kind: 'startup' | 'cancel';
  /** Whole, with its length. */
  readonly packet: Buffer;
}

/** @returns the first packet, or undefined while it is not whole. @throws SessionError 08P01 */
function firstPacket(bytes: Buffer): { readonly code: number; readonly packet: Buffer } | undefined {
  if (bytes.length < OPENING_BYTES) return undefined;
  const [length, code] = [bytes.readUInt32BE(0), bytes.readUInt32BE(4)];
  if (!isStartupLength(length, code)) {
    throw new SessionError(
      '08P01',
      'not a PostgreSQL client, or one that begins with TLS: connect with sslmode=disable',
    );
  }
  return bytes.length < length ? undefined : { code, packet: bytes.subarray(0, length) };
}

/**
 * Leaves the socket paused, with what came behind the packet.
 * @throws SessionError 08P01, 08006; the signal's reason
 */
export function readOpening(socket: Socket, signal: AbortSignal): Promise<Opening> {
  const { promise, resolve, reject } = Promise.withResolvers<Opening>();
  let bytes = Buffer.alloc(0);
  let requests = 0;
  const step = (): Opening | undefined => {
    for (let first = firstPacket(bytes); first; first = firstPacket(bytes)) {
      const { code, packet } = first;
      bytes = bytes.subarray(packet.length);
      if (!ENCRYPTION_REQUEST_CODES.includes(code)) {
        return { kind: code === CANCEL_REQUEST_CODE ? 'cancel' : 'startup', packet: Buffer.from(packet) };
      }
      requests += 1;
      if (requests > MAX_ENCRYPTION_REQUESTS) throw new SessionError('08P01', 'encryption was asked for again');
      socket.write(Buffer.from([TLS_ANSWERS.refused]));
    }
    return undefined;
  };
  const leave = () => socket.pause().off('data', onData).off('end', onGone).off('close', onGone);
  const onData = (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    try {
      const opening = step();
      if (opening === undefined) return;
      // At once: a stream whose end has been told takes nothing back.
      leave();
      if (bytes.length > 0) socket.unshift(bytes);
      resolve(opening);
    } catch (error) {
      reject(error);
    }
  };
  const onGone = () => reject(new SessionError('08006', 'the client went away'));
  socket.on('data', onData).once('end', onGone).once('close', onGone).resume();
  return untilAborted(promise, signal).finally(leave);
}
