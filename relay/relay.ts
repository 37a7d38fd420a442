/**
 * The relay as the daemons see it. The work is done in a thread of its own (relay/worker); this handle validates, sends
 * commands, resolves names and reads the counters out of shared memory.
 * Specification: relay.md, "Shape".
 */
import { isIP } from 'node:net';
import { describeError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/log.ts';
import type { Service } from '../runtime/service.ts';
import type { Endpoint } from '../wire/endpoint.ts';
import { interleaveFamilies } from './address-order.ts';
import type { RouteCounters } from './counters.ts';
import { createCounters, readCounters } from './counters.ts';
import { RelayError } from './errors.ts';
import type { RelayEvent } from './events.ts';
import type { Resolver } from './resolver.ts';
import { isFinalFailure, systemResolver } from './resolver.ts';
import type { RouteSpec } from './route.ts';
import { validateRoute } from './validate-route.ts';
import type { Answers, RelaySnapshot } from './worker/protocol.ts';
import { WorkerLink } from './worker-link.ts';

export interface RelayDependencies {
  readonly logger: Logger;
  /** Default: the system's lookup. */
  readonly resolver?: Resolver;
  /** Also log each connection's opening and end, at debug level. Default: no. */
  readonly traceConnections?: boolean;
}

export interface DrainOptions {
  /** How long established connections may go on. */
  readonly drainMs: number;
}

interface Running {
  readonly link: WorkerLink;
  /** Of every route that there was since the start: one that is added again counts on. */
  readonly counters: Map<string, SharedArrayBuffer>;
  readonly names: AbortController;
  readonly failed: PromiseWithResolvers<RelayError>;
  /** open: takes routes; draining: takes none any more; stopping: its end is asked for, or has come. */
  phase: 'starting' | 'open' | 'draining' | 'stopping';
}

export class Relay implements Service {
  readonly #logger: Logger;
  readonly #resolver: Resolver;
  readonly #isTracing: boolean;
  #running: Running | undefined;

  constructor(deps: RelayDependencies) {
    this.#logger = deps.logger;
    this.#resolver = deps.resolver ?? systemResolver;
    this.#isTracing = deps.traceConnections ?? false;
  }

  /** @throws RelayError RELAY_START_FAILED, RELAY_NOT_RUNNING when it is stopped meanwhile */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running?.phase === 'stopping') await this.stop();
    if (this.#running !== undefined) return await this.#running.link.ready;
    const running = this.#launch();
    this.#running = running;
    try {
      await running.link.ready;
    } catch (error) {
      this.#running = undefined;
      throw error;
    }
    if (signal.aborted) await this.stop();
    signal.throwIfAborted();
    if (running.phase !== 'starting') throw new RelayError('RELAY_NOT_RUNNING', 'stopped while it was starting');
    running.phase = 'open';
  }

  /** Closes every listener and connection, removes the socket files it made, and ends the worker. */
  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    if (running.phase !== 'stopping') {
      running.phase = 'stopping';
      running.names.abort();
      // A worker that died meanwhile has stopped as well.
      await running.link.request({ kind: 'stop' }).catch(() => undefined);
    }
    await running.link.exited;
    if (this.#running === running) this.#running = undefined;
  }

  /** Fulfilled with RELAY_WORKER_DIED if the worker ends unasked; never rejects. A promise for each start. */
  get whenFailed(): Promise<RelayError> {
    if (this.#running === undefined) throw new RelayError('RELAY_NOT_RUNNING', 'the relay was not started');
    return this.#running.failed.promise;
  }

  /**
   * @returns the address that is listened on, with the port that the system chose for TCP port 0
   * @throws RelayError RELAY_NOT_RUNNING, RELAY_ROUTE_INVALID, RELAY_ROUTE_EXISTS, RELAY_ENDPOINT_UNSUPPORTED,
   * RELAY_RESOLVE_FAILED, RELAY_ADDRESS_IN_USE, RELAY_PERMISSION, RELAY_BIND_FAILED, RELAY_WORKER_DIED
   */
  async addRoute(spec: RouteSpec): Promise<Endpoint> {
    const running = this.#require('open');
    validateRoute(spec);
    const literal = { ...spec, listen: await this.#toLiteral(running, spec.listen) };
    const counters = running.counters.get(spec.label) ?? createCounters();
    const listen = await running.link.request({ kind: 'add-route', spec: literal, counters });
    running.counters.set(spec.label, counters);
    return listen;
  }

  /**
   * Stops accepting on the route at once and waits for its connections.
   * @returns how many were cut at the deadline
   * @throws RelayError RELAY_NOT_RUNNING, RELAY_ROUTE_UNKNOWN, RELAY_WORKER_DIED
   */
  async removeRoute(label: string, options: DrainOptions): Promise<{ readonly cut: number }> {
    const running = this.#require();
    return await running.link.request({ kind: 'remove-route', label, drainMs: options.drainMs });
  }

  /**
   * Stops accepting everywhere and waits for all connections. Takes no routes any more until it is stopped and started
   * again; the counters stay readable until then.
   * @throws RelayError RELAY_NOT_RUNNING, RELAY_WORKER_DIED
   */
  async drain(options: DrainOptions): Promise<Answers['drain']> {
    const running = this.#require();
    running.phase = 'draining';
    return await running.link.request({ kind: 'drain', drainMs: options.drainMs });
  }

  /**
   * Counters by the label of the route, read from shared memory, those of removed routes too: what only grows must neither vanish
   * nor begin anew. Empty when not running.
   */
  counters(): Readonly<Record<string, RouteCounters>> {
    const counters = this.#running?.counters ?? new Map<string, SharedArrayBuffer>();
    return Object.fromEntries([...counters].map(([label, shared]) => [label, readCounters(shared)]));
  }

  /** What the relay holds right now. @throws RelayError RELAY_NOT_RUNNING, RELAY_WORKER_DIED */
  async snapshot(): Promise<RelaySnapshot> {
    return await this.#require().link.request({ kind: 'snapshot' });
  }

  #require(phase?: 'open'): Running {
    const running = this.#running;
    const phases = phase === undefined ? ['open', 'draining'] : [phase];
    if (running !== undefined && phases.includes(running.phase)) return running;
    throw new RelayError('RELAY_NOT_RUNNING', 'the relay does not take this now', {
      found: running?.phase ?? 'stopped',
    });
  }

  #launch(): Running {
    const running: Running = {
      counters: new Map(),
      names: new AbortController(),
      failed: Promise.withResolvers<RelayError>(),
      phase: 'starting',
      link: new WorkerLink(
        {
          onRecord: ({ level, event, fields }) => this.#logger.log(level, event, fields),
          onResolve: (host) => void this.#resolve(running, host),
          onExit: (cause) => this.#onExit(running, cause),
        },
        this.#isTracing,
      ),
    };
    return running;
  }

  /** A name to listen on becomes its first address. @throws RelayError RELAY_RESOLVE_FAILED */
  async #toLiteral(running: Running, listen: Endpoint): Promise<Endpoint> {
    if (listen.kind !== 'tcp' || isIP(listen.host) !== 0) return listen;
    const message = 'the name to listen on has no address';
    const { addresses } = await this.#resolver.resolve(listen.host, running.names.signal).catch((cause: unknown) => {
      throw new RelayError('RELAY_RESOLVE_FAILED', message, { found: listen.host, cause });
    });
    const [first] = addresses;
    if (first === undefined) throw new RelayError('RELAY_RESOLVE_FAILED', message, { found: listen.host });
    return { ...listen, host: first.address };
  }

  async #resolve(running: Running, host: string): Promise<void> {
    try {
      const { addresses, ttlMs } = await this.#resolver.resolve(host, running.names.signal);
      running.link.sendAddresses(host, { addresses: interleaveFamilies(addresses), ttlMs });
    } catch (error) {
      if (running.names.signal.aborted) return;
      this.#log('warn', 'relay.resolve-failed', { host, error: describeError(error) });
      running.link.sendAddresses(host, { failure: `cannot resolve ${host}`, isFinal: isFinalFailure(error) });
    }
  }

  #onExit(running: Running, cause: unknown): void {
    running.names.abort();
    if (running.phase === 'stopping' || running.phase === 'starting') return;
    const error = new RelayError('RELAY_WORKER_DIED', 'the worker ended unasked', { cause });
    running.phase = 'stopping';
    this.#log('fatal', 'relay.worker-died', { error: describeError(error) });
    running.failed.resolve(error);
  }

  #log(level: Parameters<Logger['log']>[0], event: RelayEvent, fields: Parameters<Logger['log']>[2]): void {
    this.#logger.log(level, event, fields);
  }
}
