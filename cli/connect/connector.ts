/** The whole of `acra-enclave connect`: verified first, then listening, verified again in intervals, ended in reverse order. */
import { createServer, type Server, type Socket } from 'node:net';
import { BackgroundTask } from '../../runtime/background-task.ts';
import type { Service } from '../../runtime/service.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { ConnectError } from './errors.ts';
import { listenOnLoopback, listenOnSocket, privateSocketPath } from './local-socket.ts';
import { type SessionDeps, serveSession } from './session.ts';
import { EnclaveTrust, type TrustDeps } from './trust.ts';
import type { Upstream } from './upstream.ts';

export type LocalAddress = { readonly kind: 'folder'; readonly folder: string } | TcpEndpoint;

export interface ConnectorDeps extends Omit<TrustDeps, 'onDistrust'> {
  readonly upstream: Upstream;
  readonly local: LocalAddress;
  readonly verifyEveryMs: number;
  /** Why a session, or a verification between sessions, failed. */
  readonly onFailure: (error: unknown) => void;
}

export class Connector implements Service {
  readonly #deps: ConnectorDeps;
  readonly #trust: EnclaveTrust;
  readonly #server: Server;
  readonly #reverifying: BackgroundTask;
  readonly #sessions = new Set<Promise<void>>();
  /** Of the sessions that are open now: another one for those that come after a distrust. */
  #ending = new AbortController();

  constructor(deps: ConnectorDeps) {
    this.#deps = deps;
    this.#trust = new EnclaveTrust({ ...deps, onDistrust: (error) => this.#endSessions(error) });
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => this.#serve(socket));
    this.#reverifying = new BackgroundTask((signal) => this.#reverify(signal), deps.onFailure);
  }

  /** Where TCP listens when port 0 was asked for. */
  get port(): number | undefined {
    const address = this.#server.address();
    return typeof address === 'object' ? address?.port : undefined;
  }

  /** @throws ConnectError, and those of EnclaveTrust; nothing listens then */
  async start(signal: AbortSignal): Promise<void> {
    const { local } = this.#deps;
    const path = local.kind === 'folder' ? privateSocketPath(local.folder) : undefined;
    try {
      await this.#trust.current(signal);
      if (path !== undefined) await listenOnSocket(this.#server, path);
      else if (local.kind === 'tcp') await listenOnLoopback(this.#server, local);
      await this.#reverifying.start(signal);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.#reverifying.stop();
    this.#trust.stop();
    this.#endSessions(new ConnectError('CONNECT_UNREACHABLE', 'acra-enclave connect is being stopped'));
    await Promise.all(this.#sessions);
    await closed;
  }

  #serve(socket: Socket): void {
    const { signal } = this.#ending;
    const session = serveSession(socket, this.#sessionDeps(), signal)
      .catch(this.#deps.onFailure)
      .finally(() => this.#sessions.delete(session));
    this.#sessions.add(session);
  }

  #sessionDeps(): SessionDeps {
    const { upstream, clock } = this.#deps;
    return { trust: this.#trust, upstream, clock };
  }

  #endSessions(reason: unknown): void {
    this.#ending.abort(reason);
    this.#ending = new AbortController();
  }

  async #reverify(signal: AbortSignal): Promise<void> {
    const { clock, verifyEveryMs, onFailure } = this.#deps;
    for (;;) {
      await clock.sleep(verifyEveryMs, signal);
      const pinned = this.#trust.pinned;
      await this.#trust.renew(pinned, signal).catch((error: unknown) => {
        signal.throwIfAborted();
        onFailure(error);
      });
    }
  }
}
