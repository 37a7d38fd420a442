/**
 * The enclave's end of the requests route: a unix socket in the supervisor's own folder, to which the relay brings what the parent
 * dials. One request and one answer a connection (wire/requests/serve.ts). Whoever connects is a stranger.
 */

import { rmSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { Clock } from '../../runtime/clock.ts';
import type { Service } from '../../runtime/service.ts';
import { listenAt } from '../../system/listen.ts';
import type { ParentAnswerer } from '../../wire/requests/serve.ts';
import { serveRequest } from '../../wire/requests/serve.ts';
import { SupervisorError } from '../errors.ts';

/** As the relay has for the route (supervisor/routes.ts); more are closed at once. */
export const MAX_CONNECTIONS = 16;

export class RequestServer implements Service {
  readonly #path: string;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  constructor(path: string, answerer: ParentAnswerer, clock: Clock) {
    this.#path = path;
    // Who asks may close its side when it has asked.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
      serveRequest(socket, answerer, clock);
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** @throws SupervisorError REQUESTS_BIND */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    rmSync(this.#path, { force: true });
    const failed = (cause: unknown) =>
      new SupervisorError('REQUESTS_BIND', `cannot listen on ${this.#path}`, { cause });
    await listenAt(this.#server, { path: this.#path }, failed);
  }

  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
