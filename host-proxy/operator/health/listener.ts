/**
 * Where a load balancer asks whether to send sessions here: /readyz and /healthz, each a status and one word. It is a listener of its own
 * because the admin port tells too much to be bound to a network, and because it is asked by strangers: all is bounded.
 *
 * With proxy_protocol_v2 an NLB puts a header before its health checks too (command LOCAL; AWS, "Target groups", Proxy protocol), which no
 * parser of HTTP takes. Other than on the public port it need not be demanded: whom it names is used for nothing, and is skipped.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Server as TcpServer } from 'node:net';
import { createServer as createTcpServer, type Socket } from 'node:net';
import type { HostProxyConfig } from '../../../config/host-proxy.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { Deadline } from '../../../runtime/deadline.ts';
import type { Logger } from '../../../runtime/log.ts';
import { OldestFirst } from '../../../runtime/oldest-first.ts';
import type { Service } from '../../../runtime/service.ts';
import type { TcpEndpoint } from '../../../wire/endpoint.ts';
import { formatEndpoint } from '../../../wire/endpoint.ts';
import { boundAddress, listenOn, takePlace } from '../../http-server.ts';
import { skipProxyHeader } from './skip-proxy-header.ts';

/** Each node of a balancer holds one at a time. */
export const MAX_CONNECTIONS = 64;
const MAX_HEADER_BYTES = 2_048;
const MAX_HEADERS = 30;
/** From accept to the end of the request. Balancers wait for an answer no longer than that either. */
export const REQUEST_MS = 5_000;

export interface HealthDeps {
  readonly listen: TcpEndpoint;
  readonly isReady: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Undefined where host-proxy.yaml has no such section. */
export function healthOf(
  { health }: HostProxyConfig,
  isReady: () => boolean,
  clock: Clock,
  logger: Logger,
): HealthListener | undefined {
  return health && new HealthListener({ listen: health.listen, isReady, clock, logger });
}

interface Answer {
  readonly status: 200 | 404 | 405 | 503;
  readonly word: string;
}

export class HealthListener implements Service {
  readonly #deps: HealthDeps;
  readonly #tcp: TcpServer;
  readonly #http: Server;
  readonly #places = new OldestFirst<Socket>();

  constructor(deps: HealthDeps) {
    this.#deps = deps;
    // It never listens: connections are given to it, and the deadline of each is ours.
    this.#http = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) =>
      this.#serve(request, response),
    );
    this.#http.maxHeadersCount = MAX_HEADERS;
    this.#tcp = createTcpServer((socket) => this.#enter(socket));
  }

  /** @throws HostProxyError HOST_HEALTH_BIND */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { listen, logger } = this.#deps;
    await listenOn(this.#tcp, listen, 'HOST_HEALTH_BIND');
    logger.log('info', 'health.listening', { address: formatEndpoint(this.address) });
  }

  async stop(): Promise<void> {
    for (const socket of this.#places.items()) socket.destroy();
    await new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
  }

  /** The bound address; the port is the real one when 0 was asked for. */
  get address(): TcpEndpoint {
    return boundAddress(this.#tcp);
  }

  /** Nobody stays longer than one request takes. */
  #enter(socket: Socket): void {
    const deadline = new Deadline(this.#deps.clock, REQUEST_MS);
    deadline.signal.addEventListener('abort', () => socket.destroy(), { once: true });
    socket.on('error', () => socket.destroy());
    socket.once('close', () => deadline[Symbol.dispose]());
    takePlace(this.#places, socket, MAX_CONNECTIONS);
    skipProxyHeader(socket, () => this.#http.emit('connection', socket));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const { status, word } = this.#answer(request);
    const body = `${word}\n`;
    response.sendDate = false;
    response.shouldKeepAlive = false;
    const fixed = { 'content-type': 'text/plain', 'content-length': body.length, 'cache-control': 'no-store' };
    response.writeHead(status, fixed).end(body);
  }

  #answer({ method, url }: IncomingMessage): Answer {
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, word: 'only GET' };
    if (url === '/healthz') return { status: 200, word: 'ok' };
    if (url !== '/readyz') return { status: 404, word: 'not found' };
    return this.#deps.isReady() ? { status: 200, word: 'ready' } : { status: 503, word: 'not ready' };
  }
}
