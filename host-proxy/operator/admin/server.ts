/**
 * The parent's local port for people and monitors: /healthz (the daemon lives), /readyz (the enclave serves), /metrics,
 * /status (everything the enclave said of itself, with the reason when it does not serve), / (the same as a page, docs/status-page.md).
 */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import type { Registry } from 'prom-client';
import { OldestFirst } from '../../../runtime/oldest-first.ts';
import type { Service } from '../../../runtime/service.ts';
import type { TcpEndpoint } from '../../../wire/endpoint.ts';
import { boundAddress, closeServer, listenOn, takePlace } from '../../http-server.ts';
import type { HostStatus } from '../host-status.ts';
import { isAddressed, SAFE_HEADERS } from './browser-safety.ts';
import { readServedFiles, type ServedFile } from './status-page.ts';

/** A browser holds six, Prometheus one. Of more the oldest goes. */
export const MAX_CONNECTIONS = 128;
/** From the first byte of a request to its last. */
const REQUEST_MS = 5_000;
/** How often that is looked at; Node's own is half a minute. */
const LOOK_MS = 1_000;
/** Without a byte in either direction: whoever reads nothing of what he asked for holds its memory. Node ends it at the second look, within a minute. */
const IDLE_MS = 30_000;

export interface AdminDeps {
  readonly listen: TcpEndpoint;
  readonly status: () => HostStatus;
  readonly metrics: Registry;
  /** By path. Default: the page and the runbooks of this release. */
  readonly files?: ReadonlyMap<string, ServedFile>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const text = (status: number, body: string): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: `${body}\n`,
});

export class AdminServer implements Service {
  readonly #deps: AdminDeps;
  readonly #server: Server;
  readonly #files: ReadonlyMap<string, ServedFile>;
  readonly #places = new OldestFirst<Socket>();
  /** Connections that are being answered. */
  readonly #busy = new WeakSet<Socket>();

  constructor(deps: AdminDeps) {
    this.#deps = deps;
    this.#files = deps.files ?? readServedFiles();
    const options = { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, connectionsCheckingInterval: LOOK_MS };
    this.#server = createServer(options, (request, response) => this.#enter(request, response));
    this.#server.setTimeout(IDLE_MS);
    this.#server.on('connection', (socket: Socket) => takePlace(this.#places, socket, MAX_CONNECTIONS));
  }

  /** @throws HostProxyError HOST_ADMIN_BIND */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await listenOn(this.#server, this.#deps.listen, 'HOST_ADMIN_BIND');
  }

  stop(): Promise<void> {
    return closeServer(this.#server);
  }

  /** The bound address; the port is the real one when 0 was asked for. */
  get address(): TcpEndpoint {
    return boundAddress(this.#server);
  }

  /** Nobody who asks here sends a request before he has read the last answer; who does could have any number made that wait. */
  #enter(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    if (this.#busy.has(socket)) {
      socket.destroy();
      return;
    }
    this.#busy.add(socket);
    response.once('close', () => this.#busy.delete(socket));
    this.#serve(request, response);
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    this.#answer(request)
      .catch((): Answer => text(500, 'internal error'))
      .then(({ status, type, body }) => {
        response.writeHead(status, {
          ...SAFE_HEADERS,
          'content-type': type,
          ...(status === 405 && { allow: 'GET, HEAD' }),
        });
        response.end(request.method === 'HEAD' ? undefined : body);
      });
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'only GET and HEAD');
    const { host } = request.headers;
    if (!isAddressed(this.address.host, host))
      return text(
        421,
        'this port answers to 127.0.0.1, [::1] and localhost: ask by one of these, or bind admin.listen elsewhere',
      );
    const { metrics } = this.#deps;
    const path = pathOf(request);
    switch (path) {
      case '/healthz':
        return text(200, 'ok');
      case '/readyz':
        return this.#readiness();
      case '/metrics':
        return { status: 200, type: metrics.contentType, body: await metrics.metrics() };
      case '/status':
        return { status: 200, type: 'application/json', body: `${JSON.stringify(this.#deps.status(), null, 2)}\n` };
      default:
        return this.#file(path);
    }
  }

  #file(path: string | undefined): Answer {
    const file = path === undefined ? undefined : this.#files.get(path);
    if (file !== undefined) return { status: 200, ...file };
    if (path?.startsWith('/runbooks/'))
      return text(404, 'there is no such runbook here; docs/errors.md has every error code');
    return text(404, 'not found; there are /, /healthz, /readyz, /metrics and /status');
  }

  #readiness(): Answer {
    const { ready, state, enclave, reason } = this.#deps.status();
    if (ready) return text(200, 'ready');
    const parts = [state, enclave && `phase ${enclave.phase}`, reason?.code, reason?.message];
    return text(503, `not ready: ${parts.filter((part) => part).join('; ')}`);
  }
}

/** Monitors append queries and slashes, and may name a host; undefined when the target is no path at all. */
function pathOf(request: IncomingMessage): string | undefined {
  const target = request.url ?? '';
  if (target.startsWith('//')) return undefined;
  const path = URL.parse(target, 'http://admin')?.pathname;
  return path === '/' ? path : path?.replace(/\/+$/, '');
}
