/** The asking end of one request, over any stream that leads to an enclave: sends one frame, reads one, and is done with the stream. */
import type { Duplex } from 'node:stream';
import { encodeFrame } from '../control/frame.ts';
import { type EnclaveAnswer, type EnclaveRequest, MAX_ANSWER_BYTES, parseEnclaveAnswer } from './messages.ts';
import { readOneFrame } from './one-frame.ts';

/**
 * Destroys the stream in every case.
 * @throws WireError WIRE_FRAME_TOO_LARGE, WIRE_MESSAGE_INVALID, WIRE_STREAM_ENDED; the signal's reason
 */
export async function askEnclave(stream: Duplex, request: EnclaveRequest, signal: AbortSignal): Promise<EnclaveAnswer> {
  try {
    const answer = readOneFrame(stream, MAX_ANSWER_BYTES, signal);
    if (!signal.aborted) stream.write(encodeFrame(request));
    return parseEnclaveAnswer(await answer);
  } finally {
    stream.on('error', () => undefined).destroy();
  }
}
