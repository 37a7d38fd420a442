/**
 * The HTTP/1.1 server of the KMS proxy: bounds what it reads, holds every limit, and answers whatever comes in the form of KMS, also what
 * is no HTTP. What a program's SDK sees is never a bare end of its connection, as long as it still reads.
 * Specification: RFC 9112; RFC 9110 section 10.1.1 (Expect).
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { errorCode } from '../../runtime/errors.ts';
import type { Service } from '../../runtime/service.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import type { Answer } from './answers.ts';
import { errorAnswer } from './answers.ts';
import { KmsProxyError } from './errors.ts';
import type { RawHead } from './head.ts';
import { isCbor } from './head.ts';
import { headersOf, rawAnswer } from './replies.ts';

export interface DoorDeps {
  readonly listen: TcpEndpoint;
  readonly maxBodyBytes: number;
  /** And requests at once. */
  readonly maxConnections: number;
  /** From the first byte of a request to its last. */
  readonly arrivalMs: number;
  /** From then to its answer, at most; nobody waits longer for a client that does not take it. */
  readonly answerMs: number;
  readonly newRequestId: () => string;
  /** Never rejects. */
  readonly handle: (head: RawHead, body: Buffer, signal: AbortSignal) => Promise<Answer>;
  /** What is answered here, without `handle`. */
  readonly refused: (error: KmsProxyError) => void;
}

/** An unused connection is kept so long, if there is room. */
const IDLE_MS = 60_000;
const MAX_HEAD_BYTES = 16 * 1024;
const MAX_CHECK_MS = 1_000;
/** So that the answer of `handle`, which has its own deadline, comes first. */
const RESERVE_MS = 5_000;

export class Door implements Service {
  readonly #deps: DoorDeps;
  readonly #server;
  readonly #connections = new Set<Socket>();
  /** Beyond the limit: their requests are refused. */
  readonly #overflow = new WeakSet<Socket>();
  readonly #busy = new Map<Duplex, number>();
  readonly #answering = new Map<AbortController, Promise<void>>();

  constructor(deps: DoorDeps) {
    this.#deps = deps;
    this.#server = createServer({
      maxHeaderSize: MAX_HEAD_BYTES,
      insecureHTTPParser: false,
      requireHostHeader: true,
      headersTimeout: deps.arrivalMs,
      requestTimeout: deps.arrivalMs,
      keepAliveTimeout: IDLE_MS,
      connectionsCheckingInterval: Math.min(MAX_CHECK_MS, Math.ceil(deps.arrivalMs / 4)),
    });
    this.#server.setTimeout(deps.arrivalMs + deps.answerMs + RESERVE_MS);
    // Before the parser has it: closeIdleConnections takes a new one for unused.
    this.#server.prependListener('connection', (socket) => this.#admit(socket));
    this.#server.on('request', (request, response) => this.#take(request, response));
    this.#server.on('checkContinue', (request, response) =>
      this.#take(request, response, () => response.writeContinue()),
    );
    this.#server.on('checkExpectation', (request, response) =>
      this.#refuse(request, response, new KmsProxyError('KMS_PROXY_HTTP', 'only 100-continue can be expected')),
    );
    this.#server.on('connect', (_request, socket) =>
      this.#refuseRaw(
        socket,
        new KmsProxyError('KMS_PROXY_HTTP', 'the KMS proxy leads nowhere else', { allowed: 'POST /' }),
      ),
    );
    this.#server.on('clientError', (error, socket) => this.#refuseRaw(socket, clientFault(error)));
  }

  /** After the start; the port is the bound one. */
  get address(): TcpEndpoint {
    const { address, port } = this.#server.address() as AddressInfo;
    return { kind: 'tcp', host: address, port };
  }

  /** @throws KmsProxyError KMS_PROXY_LISTEN */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { host, port } = this.#deps.listen;
    try {
      this.#server.listen(port, host);
      await once(this.#server, 'listening', { signal });
    } catch (cause) {
      this.#server.close();
      signal.throwIfAborted();
      throw new KmsProxyError('KMS_PROXY_LISTEN', 'cannot listen for requests to KMS', {
        found: `${host}:${port}`,
        cause,
      });
    }
  }

  /** Requests that have arrived are answered: their signal aborts. Others are cut. */
  async stop(): Promise<void> {
    const closed = this.#server.listening ? once(this.#server, 'close') : undefined;
    this.#server.close();
    for (const over of this.#answering.keys()) over.abort();
    await Promise.all(this.#answering.values());
    this.#server.closeAllConnections();
    await closed;
  }

  #admit(socket: Socket): void {
    this.#connections.add(socket);
    socket.once('close', () => {
      this.#connections.delete(socket);
      this.#busy.delete(socket);
    });
    if (!this.#isOverfull()) return;
    this.#server.closeIdleConnections();
    if (!this.#isOverfull()) return;
    if (this.#isOverfull(2)) socket.destroy();
    else this.#overflow.add(socket);
  }

  /** @param times the limit: up to twice of it is told why */
  #isOverfull(times = 1): boolean {
    return [...this.#connections].filter(({ destroyed }) => !destroyed).length > times * this.#deps.maxConnections;
  }

  #take(request: IncomingMessage, response: ServerResponse, beforeBody: () => void = () => undefined): void {
    const { maxBodyBytes, maxConnections } = this.#deps;
    const isOver = this.#overflow.has(request.socket) && this.#isOverfull();
    if (isOver || this.#answering.size >= maxConnections) {
      this.#refuse(
        request,
        response,
        new KmsProxyError('KMS_PROXY_BUSY', 'too many requests', { allowed: String(maxConnections) }),
      );
      return;
    }
    if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) {
      this.#refuse(request, response, tooLarge(maxBodyBytes));
      return;
    }
    beforeBody();
    const over = new AbortController();
    response.once('close', () => over.abort());
    const answering = this.#answer(request, response, over.signal).catch(() => void request.socket.destroy());
    this.#answering.set(over, answering);
    void answering.then(() => this.#answering.delete(over));
  }

  async #answer(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const { maxBodyBytes, handle } = this.#deps;
    const { socket } = request;
    const body = await readBody(request, maxBodyBytes, signal);
    if (body === 'too-large') this.#refuse(request, response, tooLarge(maxBodyBytes));
    if (!(body instanceof Buffer)) return;
    // From here on an answer is under way; whoever does not send all of a request is told so.
    this.#busy.set(socket, (this.#busy.get(socket) ?? 0) + 1);
    try {
      const { method = '', url: target = '', headersDistinct: headers } = request;
      const answer = await handle({ method, target, headers }, body, signal);
      body.fill(0);
      await this.#send(request, response, answer);
    } finally {
      this.#busy.set(socket, (this.#busy.get(socket) ?? 1) - 1);
    }
  }

  /** Resolves when the answer is with the system, or the client is gone; it is zeroed then. */
  async #send(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
    const cbor = isCbor({ method: '', target: '', headers: request.headersDistinct });
    const { headers, body } = headersOf(answer, cbor, this.#deps.newRequestId);
    try {
      // Whoever waited with the body for 100 need not send it; else it is read and dropped, for nobody reads an answer while writing.
      const closes = request.headers.expect !== undefined && answer.errorType !== undefined;
      response.writeHead(answer.status, { ...headers, ...(closes && { Connection: 'close' }) });
      response.end(body);
      if (!response.writableFinished && !response.closed)
        await Promise.race([once(response, 'finish'), once(response, 'close')]);
    } finally {
      answer.body.fill(0);
      body.fill(0);
    }
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: KmsProxyError): void {
    this.#deps.refused(error);
    request.resume();
    this.#send(request, response, errorAnswer(error)).catch(() => void request.socket.destroy());
  }

  #refuseRaw(socket: Duplex, error: KmsProxyError | undefined): void {
    const hasAnswerUnderWay = (this.#busy.get(socket) ?? 0) > 0;
    if (error === undefined || !socket.writable || hasAnswerUnderWay) {
      socket.destroy();
      return;
    }
    this.#deps.refused(error);
    const answer = errorAnswer(error);
    socket.on('error', () => undefined);
    socket.end(rawAnswer(answer, STATUS_CODES[answer.status] ?? '', this.#deps.newRequestId), () => socket.destroy());
  }
}

function tooLarge(maxBytes: number): KmsProxyError {
  return new KmsProxyError('KMS_PROXY_TOO_LARGE', 'the body is too long', { allowed: `${maxBytes} bytes` });
}

/** Undefined where there is nobody to be told. */
function clientFault(error: Error): KmsProxyError | undefined {
  const code = errorCode(error);
  if (code === 'ECONNRESET' || code === 'EPIPE') return undefined;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new KmsProxyError('KMS_PROXY_LATE', 'the request did not arrive in time');
  if (code === 'HPE_HEADER_OVERFLOW')
    return new KmsProxyError('KMS_PROXY_TOO_LARGE', 'the head of the request is too long', {
      allowed: `${MAX_HEAD_BYTES} bytes`,
    });
  return new KmsProxyError('KMS_PROXY_HTTP', 'this is no HTTP request');
}

async function readBody(
  request: IncomingMessage,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Buffer | 'too-large' | 'aborted'> {
  const chunks: Buffer[] = [];
  let length = 0;
  const cut = () => request.destroy();
  signal.addEventListener('abort', cut, { once: true });
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      length += chunk.length;
      if (length > maxBytes) return 'too-large';
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch {
    return 'aborted';
  } finally {
    signal.removeEventListener('abort', cut);
    for (const chunk of chunks) chunk.fill(0);
  }
}
