/** The one frame that each side of a request sends: read whole, within a size and a time, whatever the stream is. */
import type { Duplex } from 'node:stream';
import { FrameReader } from '../control/frame.ts';
import { WireError } from '../errors.ts';

/**
 * The payload of the first frame; what comes after it is dropped. The stream goes on flowing, so that its end is noticed.
 * @throws WireError WIRE_FRAME_TOO_LARGE, WIRE_STREAM_ENDED; the signal's reason
 */
export function readOneFrame(stream: Duplex, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  const frames = new FrameReader(maxBytes);
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      stream.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError);
      signal.removeEventListener('abort', onAbort);
      stream.resume();
      act();
    };
    const onData = (chunk: Buffer) => {
      try {
        const [payload] = frames.push(chunk);
        if (payload !== undefined) settle(() => resolve(payload));
      } catch (error) {
        settle(() => reject(error));
      }
    };
    const onError = (cause?: unknown) =>
      settle(() =>
        reject(new WireError('WIRE_STREAM_ENDED', 'the other side ended before its message was whole', { cause })),
      );
    const onEnd = () => onError();
    const onAbort = () => settle(() => reject(signal.reason));
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    stream.on('data', onData).once('end', onEnd).once('close', onEnd).once('error', onError);
  });
}
