/** The asking end of one request, over any stream that leads to an enclave: sends one frame, reads one, and is done with the stream. */
import type { Duplex } from 'node:stream';
import { encodeFrame } from '../control/frame.ts';
import { MAX_ANSWER_BYTES } from './bounds.ts';
import { type EnclaveAnswer, type EnclaveRequest, parseEnclaveAnswer } from './messages.ts';
import { readOneFrame } from './one-frame.ts';
import {
  MAX_PARENT_ANSWER_BYTES,
  type ParentAnswer,
  type ParentRequest,
  parseParentAnswer,
} from './parent-messages.ts';

async function exchange<Answer>(
  stream: Duplex,
  request: ParentRequest,
  { parse, maxBytes }: { readonly parse: (payload: Buffer) => Answer; readonly maxBytes: number },
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const answer = readOneFrame(stream, maxBytes, signal);
    if (!signal.aborted) stream.write(encodeFrame(request));
    return parse(await answer);
  } finally {
    stream.on('error', () => undefined).destroy();
  }
}

/**
 * Destroys the stream in every case.
 * @throws WireError WIRE_FRAME_TOO_LARGE, WIRE_MESSAGE_INVALID, WIRE_STREAM_ENDED; the signal's reason
 */
export function askEnclave(stream: Duplex, request: EnclaveRequest, signal: AbortSignal): Promise<EnclaveAnswer> {
  return exchange(stream, request, { parse: parseEnclaveAnswer, maxBytes: MAX_ANSWER_BYTES }, signal);
}

/** The same over the requests route, where the parent may ask more. */
export function askAsParent(stream: Duplex, request: ParentRequest, signal: AbortSignal): Promise<ParentAnswer> {
  return exchange(stream, request, { parse: parseParentAnswer, maxBytes: MAX_PARENT_ANSWER_BYTES }, signal);
}
