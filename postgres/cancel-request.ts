/**
 * CancelRequest: the packet that asks, on a connection of its own, to cancel what another session runs; and BackendKeyData, by
 * which a server tells a session the process and the key that such a request has to name. Protocol 3.0 has keys of four bytes,
 * 3.2 of up to 256; shorter ones, which PostgreSQL would compare, belong to no session.
 * Source: PostgreSQL 18, "Message Formats", and ProcessCancelRequestPacket in src/backend/tcop/backend_startup.c.
 */
import { SessionError } from './session-error.ts';

export const CANCEL_REQUEST_CODE = 80877102;
/** Int32 length, Int32 code, Int32 process. */
const PACKET_HEADER_BYTES = 12;
const PROCESS_BYTES = 4;
const MIN_KEY_BYTES = 4;
const MAX_KEY_BYTES = 256;

export const MIN_CANCEL_BYTES: number = PACKET_HEADER_BYTES + MIN_KEY_BYTES;
export const MAX_CANCEL_BYTES: number = PACKET_HEADER_BYTES + MAX_KEY_BYTES;

/** Whoever knows both may cancel: never in a log. */
export interface CancelKey {
  readonly processId: number;
  /** 4 to 256 bytes. */
  readonly key: Buffer;
}

function checkKey(key: Buffer): Buffer {
  if (key.length >= MIN_KEY_BYTES && key.length <= MAX_KEY_BYTES) return key;
  throw new SessionError(
    '08P01',
    `invalid cancel key: ${key.length} bytes, where ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES} are allowed`,
  );
}

/**
 * @param frame the whole packet with its length; the key stays a part of it
 * @throws SessionError 08P01 malformed, or another packet
 */
export function decodeCancelRequest(frame: Buffer): CancelKey {
  const isWhole = frame.length >= PACKET_HEADER_BYTES && frame.readUInt32BE(0) === frame.length;
  if (!isWhole || frame.readUInt32BE(4) !== CANCEL_REQUEST_CODE) {
    throw new SessionError('08P01', 'invalid cancel request packet');
  }
  return { processId: frame.readInt32BE(8), key: checkKey(frame.subarray(PACKET_HEADER_BYTES)) };
}

/**
 * @param body without type and length; the key stays a part of it
 * @throws SessionError 08P01 no process, a key that is too short or too long
 */
export function decodeBackendKeyData(body: Buffer): CancelKey {
  if (body.length < PROCESS_BYTES) throw new SessionError('08P01', 'malformed message');
  return { processId: body.readInt32BE(0), key: checkKey(body.subarray(PROCESS_BYTES)) };
}
