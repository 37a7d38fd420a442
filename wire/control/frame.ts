/** Frames of the control connection and of requests: u32 big-endian payload length, then that many bytes of UTF-8 JSON. The length is checked before anything is kept. */

import type { EgressAnswer, EgressRequest } from '../egress/messages.ts';
import { WireError } from '../errors.ts';
import type { ParentAnswer, ParentRequest } from '../requests/parent-messages.ts';
import type { EnclaveMessage, HostMessage } from './messages.ts';

export const LENGTH_BYTES = 4;

/** Every host-proxy takes frames of at least this length, and no enclave sends a longer one. */
export const MAX_ENCLAVE_FRAME_BYTES = 256 * 1024;

type Message = EnclaveMessage | HostMessage | ParentRequest | ParentAnswer | EgressRequest | EgressAnswer;

export function encodeFrame(message: Message): Buffer {
  const payload = Buffer.from(JSON.stringify(message), 'utf8');
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + payload.length);
  frame.writeUInt32BE(payload.length, 0);
  payload.copy(frame, LENGTH_BYTES);
  return frame;
}

/**
 * Cuts a byte stream into payloads. Holds what has come of one frame (at most `maxBytes`) and the chunk that was just pushed, in room for
 * twice as much at most: neither does a length cost memory before its payload comes, nor a payload in small pieces the square of its time.
 */
export class FrameReader {
  readonly #maxBytes: number;
  /** Nobody else's. */
  #room: Buffer = Buffer.alloc(0);
  /** So much of it was not cut off yet. */
  #filled = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @throws WireError WIRE_FRAME_TOO_LARGE */
  *push(chunk: Buffer): Generator<Buffer> {
    let isOwn = this.#filled > 0;
    let pending = isOwn ? this.#append(chunk) : chunk;
    try {
      for (let end = this.#endOf(pending); end !== undefined; end = this.#endOf(pending)) {
        const payload = pending.subarray(LENGTH_BYTES, end);
        pending = pending.subarray(end);
        // The room goes with the payload to whoever takes it.
        isOwn = false;
        yield payload;
      }
    } finally {
      if (!isOwn) this.#room = Buffer.from(pending);
      this.#filled = pending.length;
    }
  }

  #append(chunk: Buffer): Buffer {
    const needed = this.#filled + chunk.length;
    if (needed > this.#room.length) {
      const larger = Buffer.alloc(2 * needed);
      this.#room.copy(larger, 0, 0, this.#filled);
      this.#room = larger;
    }
    chunk.copy(this.#room, this.#filled);
    return this.#room.subarray(0, needed);
  }

  /** Of the first frame; undefined while it is not whole. */
  #endOf(pending: Buffer): number | undefined {
    if (pending.length < LENGTH_BYTES) return undefined;
    const length = pending.readUInt32BE(0);
    if (length > this.#maxBytes) {
      throw new WireError('WIRE_FRAME_TOO_LARGE', 'a frame is too long', {
        found: `${length} bytes`,
        allowed: `at most ${this.#maxBytes} bytes`,
      });
    }
    return pending.length < LENGTH_BYTES + length ? undefined : LENGTH_BYTES + length;
  }
}
