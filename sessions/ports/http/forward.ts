/**
 * One request to the program and its answer back, both streamed, on a connection of its own: it ends with the answer, so that neither
 * side's bytes can ever be taken for those of another request, and none meets a connection that the program is just closing.
 */
import { type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { isTellable } from '../../../encoding/http-fields.ts';
import { answerHeaders } from './answer-headers.ts';

type Failure = 'answer' | 'broken';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** To the program, of this request alone. */
  readonly socket: Socket;
  readonly headers: readonly (readonly [string, string])[];
  /** The program gave no answer, or not to its end: half of one is never to be taken for a whole one. */
  readonly failed: (failure: Failure) => void;
}

/** Of a request to the program. */
export function askProgram(
  { method = 'GET', url = '/' }: IncomingMessage,
  socket: Socket,
  headers: Exchange['headers'],
): ClientRequest {
  return httpRequest({ createConnection: () => socket, method, path: url, headers: headers.flat(), setHost: false });
}

export function forward({ request, response, socket, headers, failed }: Exchange): void {
  const asked = askProgram(request, socket, headers);
  if (request.headers.expect === undefined) request.pipe(asked);
  else sendWhenAsked(request, response, asked);
  asked.on('response', (answer) => {
    if (!isPassedBack(answer, response)) {
      answer.destroy();
      failed('answer');
    } else answer.on('aborted', () => failed('broken')).on('error', () => undefined);
  });
  asked.on('upgrade', (_answer, upgraded) => {
    upgraded.destroy();
    failed('answer');
  });
  asked.on('error', () => failed(response.headersSent ? 'broken' : 'answer'));
  // What the client still sends when the program has answered nobody reads.
  asked.on('close', () => void request.unpipe(asked).resume());
  response.on('close', () => asked.destroy());
}

/**
 * Who waits to be told sends nothing that an answer would make needless. A client need not wait for long, and programs of HTTP/1.0 tell
 * nobody: what comes without a word is passed on. RFC 9110 section 10.1.1.
 */
function sendWhenAsked(request: IncomingMessage, response: ServerResponse, asked: ClientRequest): void {
  let isSending = false;
  const send = () => {
    if (isSending) return;
    isSending = true;
    request.off('readable', send).pipe(asked);
  };
  asked.on('continue', () => {
    if (!isSending) response.writeContinue();
    send();
  });
  request.on('readable', send);
  asked.on('close', () => request.off('readable', send));
}

/** @returns false for an answer that cannot be told to the client in one way only */
function isPassedBack(answer: IncomingMessage, response: ServerResponse): boolean {
  if (!isTellable(answer.statusCode, answer.rawHeaders)) return false;
  if (!response.req.complete) response.shouldKeepAlive = false;
  try {
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', answerHeaders(answer).flat());
  } catch {
    // Node reads some heads that it does not write.
    return false;
  }
  response.flushHeaders();
  answer.pipe(response);
  return true;
}
