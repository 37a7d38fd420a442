/** Frames of the control connection and of requests: u32 big-endian payload length, then that many bytes of UTF-8 JSON. The length is checked before anything is kept. */
import { WireError } from '../errors.ts';
import type { ParentAnswer, ParentRequest } from '../requests/parent-messages.ts';
import type { EnclaveMessage, HostMessage } from './messages.ts';

const LENGTH_BYTES = 4;

/** Every host-proxy takes frames of at least this length, and no enclave sends a longer one. */
export const MAX_ENCLAVE_FRAME_BYTES = 256 * 1024;

export function encodeFrame(message: EnclaveMessage | HostMessage | ParentRequest | ParentAnswer): Buffer {
  const payload = Buffer.from(JSON.stringify(message), 'utf8');
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + payload.length);
  frame.writeUInt32BE(payload.length, 0);
  payload.copy(frame, LENGTH_BYTES);
  return frame;
}

/** Cuts a byte stream into payloads. Holds at most one frame (`maxBytes`) plus the chunk that was just pushed. */
export class FrameReader {
  readonly #maxBytes: number;
  #pending: Buffer = Buffer.alloc(0);

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @throws WireError WIRE_FRAME_TOO_LARGE */
  *push(chunk: Buffer): Generator<Buffer> {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length >= LENGTH_BYTES) {
      const length = this.#pending.readUInt32BE(0);
      if (length > this.#maxBytes) {
        throw new WireError('WIRE_FRAME_TOO_LARGE', 'a frame is too long', {
          found: `${length} bytes`,
          allowed: `at most ${this.#maxBytes} bytes`,
        });
      }
      if (this.#pending.length < LENGTH_BYTES + length) return;
      const payload = this.#pending.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
      this.#pending = this.#pending.subarray(LENGTH_BYTES + length);
      yield payload;
    }
  }
}
