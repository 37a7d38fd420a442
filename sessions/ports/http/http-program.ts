/**
 * A program that is given requests. Node's parser stands in front of it: what it does not take as HTTP/1.1 the program never sees. Bodies
 * are streamed both ways, and of any length; how long a connection may be silent the relay before us says.
 *
 *   connection ──head in time──▶ request ──▶ program ──▶ answer ──▶ next head, or end
 *                                   └── asks for WebSocket, and the program goes over: bytes from there on
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { answerHead } from '../../../encoding/http-fields.ts';
import { Deadline } from '../../../runtime/deadline.ts';
import { sayGoodbye } from '../../say-goodbye.ts';
import { type Behind, type BehindDeps, type Rest, tellAway } from '../behind.ts';
import type { PortClient } from '../client.ts';
import { dialProgram } from '../dial-program.ts';
import { forward } from './forward.ts';
import { requestHeaders } from './request-headers.ts';
import { hasBody, isWebSocket, unfitness } from './unfit.ts';
import { upgrade } from './upgrade.ts';

/** Until the end of the next request's head, where a connection goes on. */
const NEXT_REQUEST_MS = 60_000;
/** None of Node's: they look at a system's clock, and at servers that listen. */
const NO_LIMITS = { keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 };

/** Of one connection, one answered after the other. */
const MAX_PIPELINED = 16;

const ANSWERS = {
  400: 'Bad Request',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
} as const;
type Status = keyof typeof ANSWERS;

interface Connected {
  readonly client: PortClient;
  readonly rest: Rest;
  /** Requests under way, and those behind them. */
  requests: number;
  /** While there is none. */
  head: Deadline | undefined;
  /** An answer was its last word: what has come behind that request nobody answers. */
  isOver: boolean;
  /** The answer to the last of them is over. */
  answered: Promise<unknown>;
}

export class HttpProgram implements Behind {
  readonly #deps: BehindDeps;
  readonly #connections = new Map<Duplex, Connected>();
  readonly #server: Server;
  #isDraining = false;

  constructor(deps: BehindDeps) {
    this.#deps = deps;
    this.#server = createServer({ ...NO_LIMITS, insecureHTTPParser: false, shouldUpgradeCallback: isWebSocket });
    const serve = (request: IncomingMessage, response: ServerResponse) => {
      this.#answer(request, response).catch((error: unknown) => this.#broke(response, error));
    };
    this.#server.on('request', serve).on('checkContinue', serve);
    this.#server.on('upgrade', (request, client: Duplex, early: Buffer) => {
      this.#upgrade(request, client, early).catch((error: unknown) => this.#broke(client, error));
    });
  }

  serve(secured: TLSSocket, client: PortClient, rest: Rest): void {
    if (secured.destroyed) return;
    const connected: Connected = {
      client,
      rest,
      requests: 0,
      head: undefined,
      isOver: false,
      answered: Promise.resolve(),
    };
    this.#connections.set(secured, connected);
    secured.once('close', () => {
      connected.head?.[Symbol.dispose]();
      this.#connections.delete(secured);
    });
    rest.rests();
    this.#awaitHead(secured, connected, this.#deps.port.limits.prefaceTimeoutMs);
    this.#server.emit('connection', secured);
  }

  drain(): void {
    this.#isDraining = true;
    for (const [socket, { requests }] of this.#connections) if (requests === 0) socket.destroy();
  }

  #awaitHead(socket: Duplex, connected: Connected, maxMs: number): void {
    const head = new Deadline(this.#deps.clock, maxMs);
    connected.head = head;
    head.signal.addEventListener('abort', () => {
      if (!head.hasPassed) return;
      this.#deps.refused('late');
      socket.destroy();
    });
  }

  /** @returns undefined where the connection is closed already, or is now: who asks so much at once does not wait for answers */
  #begin({ socket }: IncomingMessage): Connected | undefined {
    const connected = this.#connections.get(socket);
    if (!connected) return undefined;
    connected.head?.[Symbol.dispose]();
    connected.head = undefined;
    connected.requests += 1;
    if (connected.requests <= MAX_PIPELINED) return connected;
    this.#deps.refused('protocol');
    socket.destroy();
    return undefined;
  }

  /** From the end of its body on: one that does not come is no reason to keep others out. */
  #works(request: IncomingMessage, connected: Connected): void {
    if (!hasBody(request)) connected.rest.works();
    else
      request.once('end', () => {
        if (connected.requests > 0) connected.rest.works();
      });
  }

  #end(socket: Socket, connected: Connected): void {
    connected.requests -= 1;
    if (connected.requests > 0 || socket.destroyed) return;
    connected.rest.rests();
    if (this.#isDraining) socket.destroySoon();
    else this.#awaitHead(socket, connected, NEXT_REQUEST_MS);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const connected = this.#begin(request);
    if (!connected) return;
    const before = connected.answered;
    connected.answered = new Promise((resolve) => response.once('close', resolve));
    response.once('close', () => {
      connected.isOver ||= !response.shouldKeepAlive;
      this.#end(request.socket, connected);
    });
    if (this.#isDraining) response.shouldKeepAlive = false;
    this.#works(request, connected);
    await before;
    if (connected.isOver) return;
    const socket = await this.#toProgram(request, connected, (status) => say(response, status));
    if (!socket) return;
    const headers = requestHeaders(request, connected.client);
    const failed = (failure: 'answer' | 'broken') => {
      if (failure === 'answer' && !response.headersSent) say(response, 502);
      else response.destroy();
    };
    if (response.destroyed) socket.destroy();
    else forward({ request, response, socket, headers, failed });
  }

  async #upgrade(request: IncomingMessage, client: Duplex, early: Buffer): Promise<void> {
    client.on('error', () => undefined);
    const connected = this.#begin(request);
    if (!connected) return;
    await connected.answered;
    if (connected.isOver) return;
    const { clock } = this.#deps;
    const sayBare = (status: Status) => sayGoodbye(client, bareAnswer(status), clock);
    const socket = await this.#toProgram(request, connected, sayBare);
    if (!socket) return;
    const headers = requestHeaders(request, connected.client);
    if (client.destroyed) socket.destroy();
    else {
      const over = () => connected.rest.works();
      upgrade({ request, client, socket, headers, early, clock, over, failed: () => sayBare(502) });
    }
  }

  /** @param refuse tells the client @returns undefined where the request is unfit, or there is no program now */
  async #toProgram(
    request: IncomingMessage,
    { client }: Connected,
    refuse: (status: Status) => void,
  ): Promise<Socket | undefined> {
    const { port, clock, refused } = this.#deps;
    if (unfitness(request) !== undefined) {
      refused('protocol');
      refuse(400);
      return undefined;
    }
    try {
      return await dialProgram(port, client, clock);
    } catch (error) {
      tellAway(this.#deps, error);
      refuse(503);
      return undefined;
    }
  }

  /** A defect of ours ends one connection. */
  #broke(client: { destroy(): unknown }, error: unknown): void {
    const { port, logger, refused } = this.#deps;
    refused('internal');
    const reason = error instanceof Error ? error.name : typeof error;
    logger.log('error', 'port.request-failed', { port: port.name, reason });
    client.destroy();
  }
}

function textOf(status: Status): string {
  return `${status} ${ANSWERS[status]}\n`;
}

function say(response: ServerResponse, status: Status): void {
  if (response.destroyed) return;
  const text = textOf(status);
  response.shouldKeepAlive = false;
  // With its reason: that of an answer that could not be told again would still stand there.
  response
    .writeHead(status, ANSWERS[status], { 'content-type': 'text/plain', 'content-length': text.length })
    .end(text);
}

function bareAnswer(status: Status): Buffer {
  const text = textOf(status);
  const fields = [
    ['Content-Type', 'text/plain'],
    ['Content-Length', `${text.length}`],
    ['Connection', 'close'],
  ] as const;
  return Buffer.from(`${answerHead(status, ANSWERS[status], fields)}${text}`);
}
