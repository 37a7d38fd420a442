/**
 * Passes absolute-form requests on, each over a connection to its own target. Connections are kept for further requests of the same program's
 * connection to the same target, and shared with nobody: whatever a target answers out of turn reaches only who asked it.
 */
import {
  Agent,
  type AgentOptions,
  type ClientRequest,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';
import { isTellable, saysLength } from '../../encoding/http-fields.ts';
import { StopRequested } from '../../runtime/abort.ts';
import { errorCode } from '../../runtime/errors.ts';
import { egressTarget } from '../../wire/egress/target.ts';
import { EgressProxyError } from './errors.ts';
import { answerHeaders, requestHeaders } from './headers.ts';
import type { Reach } from './reach.ts';
import { type AbsoluteRequest, readAbsoluteRequest } from './request.ts';

/** An idle connection to a target. */
const KEEP_ALIVE_MS = 4_000;
/** What a proxy may do again by itself (RFC 9110 section 9.2.2). */
const REPEATABLE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
const MAX_ANSWER_HEADER_BYTES = 64 * 1024;

/** Connections of one program's connection, by target. */
export class ReachAgent extends Agent {
  readonly #reach: Reach;
  readonly #closing = new AbortController();

  constructor(reach: Reach) {
    super({ keepAlive: true, maxFreeSockets: 1, timeout: KEEP_ALIVE_MS } satisfies AgentOptions);
    this.#reach = reach;
  }

  override createConnection(
    { host, port }: { readonly host?: string | null; readonly port?: string | number | null },
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const connecting = this.#reach.connect(egressTarget(host ?? '', Number(port)), this.#closing.signal);
    connecting.then(
      (socket) => callback?.(null, socket),
      (error: Error) => callback?.(error, undefined as never),
    );
  }

  override destroy(): void {
    this.#closing.abort();
    super.destroy();
  }
}

interface Exchange {
  readonly from: IncomingMessage;
  readonly to: ServerResponse;
  readonly agent: Agent;
  readonly asked: AbsoluteRequest;
}

/** Resolves when the answer is passed on. @throws EgressProxyError; EgressError; the program's answer has not begun then */
export async function forward(from: IncomingMessage, to: ServerResponse, agent: Agent): Promise<void> {
  const exchange = { from, to, agent, asked: readAbsoluteRequest(from) };
  try {
    await attempt(exchange);
  } catch (error) {
    if (!(error instanceof StaleConnection)) throw error;
    await attempt(exchange);
  }
}

/** A kept connection that the target had closed already; who asks again does what was asked once, whether it has been done or not. */
class StaleConnection extends EgressProxyError {}

function attempt({ from, to, agent, asked }: Exchange): Promise<void> {
  const { target, host, path, framing } = asked;
  return new Promise((resolve, reject) => {
    const onward = start(() =>
      request({
        agent,
        host: target.host,
        port: target.port,
        method: from.method,
        path,
        headers: requestHeaders(from.rawHeaders, host, framing),
        maxHeaderSize: MAX_ANSWER_HEADER_BYTES,
      }),
    );
    const onGone = () => onward.destroy(new StopRequested('the program has gone'));
    to.once('close', onGone);
    // More than one may come: that of the connection, and one for what the program was just sending.
    const onError = (cause: Error) => {
      to.off('close', onGone);
      reject(failureOf(cause, onward, framing.kind === 'none' && REPEATABLE.has(from.method ?? '')));
    };
    onward.on('error', onError);
    // An answer that changes the protocol unasked has neither error nor response.
    const onClose = () => reject(new EgressProxyError('EGRESS_ANSWER', 'the target ended without an answer'));
    onward.once('close', onClose);
    onward.once('response', (answer) => {
      onward.off('close', onClose);
      // What comes of the body from now on does not matter: the answer is the last word.
      onward.off('error', onError).on('error', () => undefined);
      try {
        passOn(answer, to, resolve);
      } catch (cause) {
        // Node reads some heads that it does not write, too.
        answer.destroy();
        reject(new EgressProxyError('EGRESS_ANSWER', 'the head of the answer cannot be told again', { cause }));
      }
    });
    if (framing.kind === 'none') onward.end();
    else from.pipe(onward);
  });
}

/** @throws EgressProxyError EGRESS_REQUEST */
function start(make: () => ClientRequest): ClientRequest {
  try {
    return make();
  } catch (cause) {
    throw new EgressProxyError('EGRESS_REQUEST', 'this request cannot be written again', { cause });
  }
}

function failureOf(cause: Error, onward: ClientRequest, isRepeatable: boolean): Error {
  if (cause instanceof StopRequested || errorCode(cause)?.startsWith('EGRESS_')) return cause;
  const message = 'the answer of the target broke off or is no HTTP';
  const isStale = onward.reusedSocket && isRepeatable && errorCode(cause) === 'ECONNRESET';
  return isStale
    ? new StaleConnection('EGRESS_ANSWER', message, { cause })
    : new EgressProxyError('EGRESS_ANSWER', message, { cause });
}

function passOn(answer: IncomingMessage, to: ServerResponse, done: () => void): void {
  if (!isTellable(answer.statusCode, answer.rawHeaders))
    throw new EgressProxyError('EGRESS_ANSWER', 'the answer is no last word, or in another transfer coding');
  to.sendDate = false;
  const length = saysLength(answer.statusCode) ? answer.headers['content-length'] : undefined;
  const headers = answerHeaders(answer.rawHeaders, length);
  to.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers);
  // An answer that breaks off breaks the program's connection: it must not look whole.
  pipeline(answer, to, done);
}

/** Agents by the connection of a program; each ends with it. */
export class Agents {
  readonly #reach: Reach;
  readonly #agents = new WeakMap<Socket, ReachAgent>();

  constructor(reach: Reach) {
    this.#reach = reach;
  }

  of(socket: Socket): Agent {
    const known = this.#agents.get(socket);
    if (known !== undefined) return known;
    const agent = new ReachAgent(this.#reach);
    this.#agents.set(socket, agent);
    socket.once('close', () => agent.destroy());
    return agent;
  }
}
