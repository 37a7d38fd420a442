/**
 * The one frame that each end of HTTP egress sends (u32 big-endian length, then JSON, as on the control connection), read to the byte: what
 * follows it is the target's or the program's, and stays in the stream.
 */
import type { Duplex } from 'node:stream';
import { LENGTH_BYTES } from '../control/frame.ts';
import { WireError } from '../errors.ts';

export const MAX_EGRESS_FRAME_BYTES = 2_048;

/** @throws WireError WIRE_FRAME_TOO_LARGE, WIRE_STREAM_ENDED; the signal's reason */
export async function readEgressFrame(stream: Duplex, signal: AbortSignal): Promise<Buffer> {
  const length = (await readExactly(stream, LENGTH_BYTES, signal)).readUInt32BE(0);
  if (length > 0 && length <= MAX_EGRESS_FRAME_BYTES) return readExactly(stream, length, signal);
  throw new WireError('WIRE_FRAME_TOO_LARGE', 'a frame has not the length of one', {
    found: `${length} bytes`,
    allowed: `1 to ${MAX_EGRESS_FRAME_BYTES} bytes`,
  });
}

/** The next bytes, and no more of the stream, which stays paused. */
function readExactly(stream: Duplex, bytes: number, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      stream.off('readable', look).off('end', onEnd).off('close', onEnd).off('error', onEnd);
      signal.removeEventListener('abort', onAbort);
      act();
    };
    const look = () => {
      const chunk: Buffer | null = stream.read(bytes);
      if (chunk?.length === bytes) settle(() => resolve(chunk));
      // At its end a stream gives what there is.
      else if (chunk !== null) onEnd();
    };
    const onEnd = (cause?: unknown) =>
      settle(() =>
        reject(new WireError('WIRE_STREAM_ENDED', 'the other side ended before its message was whole', { cause })),
      );
    const onAbort = () => settle(() => reject(signal.reason));
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    stream.on('readable', look).once('end', onEnd).once('close', onEnd).once('error', onEnd);
    look();
  });
}
