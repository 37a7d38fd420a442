/**
 * The enclave's end of one request over the requests route: takes one frame, answers with one, ends. Who may connect, and how many, is for
 * who listens. Over TLS the front takes the request, and passes it on unread (sessions/front/attestation/).
 */
import type { Duplex } from 'node:stream';
import type { Clock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import { describeError } from '../../runtime/errors.ts';
import { encodeFrame } from '../control/frame.ts';
import { WireError } from '../errors.ts';
import { MAX_KEYS_ANSWER_MS } from './bounds.ts';
import { RequestError } from './errors.ts';
import { type EnclaveAnswer, type EnclaveRequest, type Refusal, refusalOf } from './messages.ts';
import { readOneFrame } from './one-frame.ts';
import {
  MAX_PARENT_REQUEST_BYTES,
  type ParentAnswer,
  type ParentRequest,
  parseParentRequest,
} from './parent-messages.ts';

/** Of strangers. Never rejects; the signal aborts when nobody waits for the answer any more. */
export type Answerer = (request: EnclaveRequest, signal: AbortSignal) => Promise<EnclaveAnswer>;

/** The same of whoever comes over the requests route. */
export type ParentAnswerer = (request: ParentRequest, signal: AbortSignal) => Promise<ParentAnswer>;

/** From the first byte that may be sent to the last one that was taken: the request, and the answer. */
const EXCHANGE_MS = 10_000;
/** The same, for requests about keys: they take turns, and wait for KMS. */
const LONG: ReadonlySet<string> = new Set(['bring-keys', 'change-keys', 'load-share']);

/** Ends the stream in every case. Never rejects. */
export async function serveRequest(stream: Duplex, answerer: ParentAnswerer, clock: Clock): Promise<void> {
  const gone = new AbortController();
  const leave = () => gone.abort(new RequestError('REQUEST_CANCELLED', 'who asked has left'));
  stream.once('close', leave).on('error', () => stream.destroy());
  using deadline = new Deadline(clock, EXCHANGE_MS, gone.signal);
  try {
    const request = await requestOf(stream, deadline.signal);
    using longer = LONG.has(request.type) ? new Deadline(clock, MAX_KEYS_ANSWER_MS, gone.signal) : undefined;
    const { signal } = longer ?? deadline;
    await write(stream, request.type === 'refusal' ? request : await answerer(request, signal), signal);
  } catch {
    // Nobody is there to be told.
    stream.destroy();
  }
}

/** @returns the refusal of what is none */
async function requestOf(stream: Duplex, signal: AbortSignal): Promise<ParentRequest | Refusal> {
  try {
    return parseParentRequest(await readOneFrame(stream, MAX_PARENT_REQUEST_BYTES, signal));
  } catch (error) {
    if (!(error instanceof WireError) || error.code === 'WIRE_STREAM_ENDED') throw error;
    return refusalOf(new RequestError('REQUEST_MALFORMED', describeError(error), { cause: error }));
  }
}

/** Resolves when the other side has closed too. */
function write(stream: Duplex, answer: ParentAnswer, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    stream.once('close', resolve);
    stream.end(encodeFrame(answer));
  });
}
