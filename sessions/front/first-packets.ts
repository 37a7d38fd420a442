/**
 * What a client says before its session: in clear the request for TLS, or TLS at once; inside TLS the packet that asks for a session.
 * A request to cancel may come in either place (PostgreSQL 18, "SSL Session Encryption", "Canceling Requests in Progress"). Bytes
 * behind a request that waits for its answer are refused (CVE-2021-23214).
 */
import type { Duplex } from 'node:stream';
import { CANCEL_REQUEST_CODE, decodeCancelRequest, MAX_CANCEL_BYTES } from '../../postgres/cancel-request.ts';
import { SessionError } from '../../postgres/session-error.ts';
import {
  classifyStartup,
  ENCRYPTION_REQUEST_CODES,
  isTlsHandshake,
  MAX_STARTUP_BYTES,
  startupError,
  TLS_ANSWERS,
} from '../../postgres/start-up.ts';
import {
  decodeStartupMessage,
  MAX_STARTUP_MESSAGE_BYTES,
  type StartupMessage,
} from '../../postgres/startup-message.ts';
import { takeBytes, takeSome } from '../take-bytes.ts';

const CLIENT = 'the client';
const LENGTH_BYTES = 4;
const CODE_BYTES = 4;

export interface Cancel {
  readonly kind: 'cancel';
  readonly packet: Buffer;
}
export type Request = { readonly kind: 'tls'; readonly isDirect: boolean } | Cancel;

export interface Patience {
  /** Aborts when no first byte has come in time. */
  readonly firstByte: AbortSignal;
  /** Called with it. @returns a signal that aborts when the rest has not come in time */
  readonly onFirstByte: () => AbortSignal;
}

/** Nothing is read of what belongs to the handshake. @throws SessionError 08P01, 28000, 08006; the signals' reasons */
export async function readRequest(socket: Duplex, { firstByte, onFirstByte }: Patience): Promise<Request> {
  const first = await takeBytes(socket, 1, CLIENT, firstByte);
  const signal = onFirstByte();
  socket.unshift(first);
  if (isTlsHandshake(first.readUInt8())) return { kind: 'tls', isDirect: true };
  let request = await readPacket(socket, signal);
  if (request.kind === 'gss-request') {
    socket.write(Buffer.of(TLS_ANSWERS.refused));
    request = await readPacket(socket, signal);
  }
  if (request.kind === 'gss-request') throw startupError('second-gss-request');
  if (request.kind === 'cancel-request') return { kind: 'cancel', packet: request.packet };
  socket.write(Buffer.of(TLS_ANSWERS.accepted));
  return { kind: 'tls', isDirect: false };
}

type Packet =
  | { readonly kind: 'ssl-request' | 'gss-request' }
  | { readonly kind: 'cancel-request'; readonly packet: Buffer };

/** As much as classifyStartup needs, and a byte more if it is there already. */
async function readPacket(socket: Duplex, signal: AbortSignal): Promise<Packet> {
  let bytes: Buffer = Buffer.alloc(0);
  for (;;) {
    const verdict = classifyStartup(bytes);
    if (verdict.kind === 'refused') throw startupError(verdict.reason);
    if (verdict.kind === 'cancel-request') return { kind: verdict.kind, packet: bytes };
    if (verdict.kind !== 'more') return { kind: verdict.kind };
    bytes = Buffer.concat([bytes, await takeSome(socket, MAX_STARTUP_BYTES - bytes.length, CLIENT, signal)]);
  }
}

/** @throws SessionError 08P01, 0A000, 28000, 08006; the signal's reason */
export async function readStartup(
  socket: Duplex,
  signal: AbortSignal,
): Promise<{ readonly kind: 'session'; readonly startup: StartupMessage } | Cancel> {
  const head = await takeBytes(socket, LENGTH_BYTES + CODE_BYTES, CLIENT, signal);
  const [length, code] = [head.readUInt32BE(0), head.readUInt32BE(LENGTH_BYTES)];
  if (ENCRYPTION_REQUEST_CODES.includes(code)) {
    throw new SessionError('08P01', 'encryption is requested where there is TLS already');
  }
  const isCancel = code === CANCEL_REQUEST_CODE;
  if (length < head.length || length > (isCancel ? MAX_CANCEL_BYTES : MAX_STARTUP_MESSAGE_BYTES)) {
    throw new SessionError('08P01', `invalid length of startup packet: ${length} bytes`);
  }
  const rest = await takeBytes(socket, length - head.length, CLIENT, signal);
  const packet = Buffer.concat([head, rest]);
  if (isCancel) decodeCancelRequest(packet);
  return isCancel ? { kind: 'cancel', packet } : { kind: 'session', startup: decodeStartupMessage(packet) };
}
