/**
 * The HTTP proxy for programs of the enclave, on the loopback interface: CONNECT, and absolute http:// URLs. Requests are read by Node's own
 * parser, strict as it is, and nothing of a path, a header or a body is kept or told.
 * Specification: docs/specs/egress.md, 5; RFC 9110 sections 7.6 and 9.3.6, RFC 9112.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer, STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { RouteLimits } from '../../relay/route.ts';
import { CodedError, errorCode } from '../../runtime/errors.ts';
import type { Service } from '../../runtime/service.ts';
import { listenAt } from '../../system/listen.ts';
import { formatEndpoint, type TcpEndpoint } from '../../wire/endpoint.ts';
import { answerTo, parserError, rawAnswer } from './answers.ts';
import { EgressProxyError } from './errors.ts';
import { Agents, forward } from './forward.ts';
import type { Outcomes } from './outcomes.ts';
import type { Reach } from './reach.ts';
import { readConnect } from './request.ts';
import { Tunnels } from './tunnels.ts';

const MAX_HEADER_BYTES = 64 * 1024;
const MAX_HEADERS = 200;
const HEADERS_MS = 10_000;
const KEEP_ALIVE_MS = 5_000;
const CHECK_MS = 1_000;

export interface ProxyDeps {
  readonly listen: TcpEndpoint;
  readonly limits: RouteLimits;
  readonly reach: Reach;
  readonly outcomes: Outcomes;
}

export class EgressProxy implements Service {
  readonly #deps: ProxyDeps;
  readonly #server: Server;
  readonly #agents: Agents;
  readonly tunnels: Tunnels;

  constructor(deps: ProxyDeps) {
    this.#deps = deps;
    this.#agents = new Agents(deps.reach);
    this.tunnels = new Tunnels(deps.limits.idleTimeoutMs);
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: HEADERS_MS,
        requestTimeout: 0,
        keepAliveTimeout: KEEP_ALIVE_MS,
        connectionsCheckingInterval: CHECK_MS,
        insecureHTTPParser: false,
        requireHostHeader: false,
      },
      (request, response) => void this.#forward(request, response),
    );
    this.#server.maxHeadersCount = MAX_HEADERS;
    this.#server.maxConnections = deps.limits.maxConnections;
    this.#server.timeout = deps.limits.idleTimeoutMs;
    this.#server.on('connect', (request, socket, head) => void this.#connect(request, socket as Socket, head));
    this.#server.on('clientError', (error, socket) => {
      if (errorCode(error) === 'ECONNRESET') socket.destroy();
      else this.#refuse(socket, parserError(errorCode(error)));
    });
    this.#server.on('drop', () => deps.outcomes.count('shed'));
  }

  /** @throws EgressProxyError EGRESS_BIND */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { listen } = this.#deps;
    const failed = (cause: unknown) =>
      new EgressProxyError('EGRESS_BIND', `cannot listen on ${formatEndpoint(listen)}`, { cause });
    await listenAt(this.#server, { host: listen.host, port: listen.port }, failed);
  }

  /** The port is the real one when 0 was asked for. */
  get address(): TcpEndpoint {
    const { address, port } = this.#server.address() as AddressInfo;
    return { kind: 'tcp', host: address, port };
  }

  /** Takes nothing more; resolves when all that is under way has ended by itself. */
  async drain(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    await Promise.all([closed, this.tunnels.ended()]);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await Promise.all([this.tunnels.close(), new Promise<void>((resolve) => this.#server.close(() => resolve()))]);
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { outcomes } = this.#deps;
    try {
      await forward(request, response, this.#agents.of(request.socket));
      outcomes.count('answered');
    } catch (error) {
      outcomes.failed(error);
      if (!(error instanceof CodedError) || response.headersSent) {
        response.destroy();
        return;
      }
      const { status, headers, body } = answerTo(error);
      // A body that nobody read goes with its connection.
      response.shouldKeepAlive = false;
      // With its reason: that of an answer that could not be told again would still stand there.
      response.writeHead(status, STATUS_CODES[status] ?? '', headers).end(body);
    }
  }

  async #connect(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    // Before anything is waited for: an empty stream would tell its end to nobody.
    if (head.length > 0) socket.unshift(head);
    const gone = new AbortController();
    const onClose = () => gone.abort();
    socket.on('error', () => socket.destroy()).once('close', onClose);
    try {
      const target = readConnect(request);
      const upstream = await this.#deps.reach.connect(target, gone.signal);
      socket.off('close', onClose);
      this.#deps.outcomes.count('connected');
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      this.tunnels.add(socket, upstream);
    } catch (error) {
      if (error instanceof CodedError) this.#refuse(socket, error);
      else {
        this.#deps.outcomes.failed(error);
        socket.destroy();
      }
    }
  }

  #refuse(socket: Duplex, error: CodedError): void {
    this.#deps.outcomes.failed(error);
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    socket.end(rawAnswer(answerTo(error)), () => socket.destroy());
  }
}
