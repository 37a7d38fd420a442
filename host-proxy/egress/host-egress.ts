/**
 * host-proxy's end of HTTP egress: the relay delivers connections from the enclave's CID to a private unix socket; each asks for one target,
 * which this side's list must allow too, and then carries bytes. Names are resolved here, so that what is behind a name is this machine's word.
 * Specification: docs/specs/egress.md, 3 and 4.
 */
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { HostProxyConfig } from '../../config/host-proxy.ts';
import { type Resolver, systemResolver } from '../../relay/resolver.ts';
import type { RouteLimits } from '../../relay/route.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import { CodedError, errorCode } from '../../runtime/errors.ts';
import { joinStreams } from '../../runtime/join-streams.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Service } from '../../runtime/service.ts';
import { listenAt } from '../../system/listen.ts';
import { encodeFrame } from '../../wire/control/frame.ts';
import { EgressError } from '../../wire/egress/errors.ts';
import { parseEgressList } from '../../wire/egress/judge.ts';
import {
  egressConnected,
  egressRefused,
  type HostCode,
  isHostCode,
  parseEgressRequest,
} from '../../wire/egress/messages.ts';
import { readEgressFrame } from '../../wire/egress/read-frame.ts';
import { egressTarget } from '../../wire/egress/target.ts';
import { egressSocketPath } from '../app-routes.ts';
import { HostProxyError } from '../errors.ts';
import type { EgressStatus } from '../operator/host-status.ts';
import type { Connected } from './dial.ts';
import { type HostReachDeps, reachTarget } from './reach.ts';

export interface HostEgressDeps {
  /** `egress.http` of host-proxy.yaml. */
  readonly section: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  /** Private: in the daemon's own folder. */
  readonly socketPath: string;
  readonly limits: Pick<
    RouteLimits,
    'maxConnections' | 'maxPending' | 'connectTimeoutMs' | 'prefaceTimeoutMs' | 'idleTimeoutMs'
  >;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly resolver?: Resolver;
}

/** Undefined where host-proxy.yaml has no such section. */
export function hostEgressOf(config: HostProxyConfig, clock: Clock, logger: Logger): HostEgress | undefined {
  const section = config.workload === 'app' ? config.egress.http : undefined;
  if (section === undefined) return undefined;
  return new HostEgress({ section, socketPath: egressSocketPath(config), limits: config.limits, clock, logger });
}

export class HostEgress implements Service {
  readonly #deps: HostEgressDeps;
  readonly #reach: HostReachDeps;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #outcomes = new Map<string, number>();
  #pending = 0;

  /** @throws EgressError EGRESS_RULE */
  constructor(deps: HostEgressDeps) {
    const { section, clock, resolver = systemResolver } = deps;
    this.#deps = deps;
    this.#reach = { list: parseEgressList(section), resolver, clock };
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => void this.#serve(socket));
    this.#server.maxConnections = deps.limits.maxConnections;
    this.#server.on('drop', () => this.#count('shed'));
  }

  /** @throws HostProxyError HOST_EGRESS_BIND */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { socketPath } = this.#deps;
    rmSync(socketPath, { force: true });
    const failed = (cause: unknown) =>
      new HostProxyError('HOST_EGRESS_BIND', `cannot listen on ${socketPath}`, { cause });
    await listenAt(this.#server, { path: socketPath }, failed);
  }

  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  get status(): EgressStatus {
    return { open: this.#open.size, outcomes: Object.fromEntries(this.#outcomes) };
  }

  async #serve(socket: Socket): Promise<void> {
    const gone = new AbortController();
    this.#open.add(socket);
    socket
      .on('error', () => socket.destroy())
      .once('close', () => {
        this.#open.delete(socket);
        gone.abort();
      });
    try {
      const connected = await this.#connect(socket, gone.signal);
      this.#count('connected');
      socket.write(encodeFrame(egressConnected(connected.address)));
      socket.setTimeout(this.#deps.limits.idleTimeoutMs, () => socket.destroy());
      await joinStreams(socket, connected.socket);
    } catch (error) {
      this.#refuse(socket, error);
    }
  }

  /** @throws EgressError; WireError; the signal's reason */
  async #connect(socket: Socket, signal: AbortSignal): Promise<Connected> {
    const { limits, clock } = this.#deps;
    const { host, port } = await this.#read(socket, signal);
    const target = egressTarget(host, port);
    if (this.#pending >= limits.maxPending)
      throw new EgressError('EGRESS_LIMIT', 'too many connections are being made', { allowed: `${limits.maxPending}` });
    const tooLate = () => new EgressError('EGRESS_TIMEOUT', `not reached within ${limits.connectTimeoutMs} ms`);
    using deadline = new Deadline(clock, limits.connectTimeoutMs, signal, tooLate);
    this.#pending += 1;
    try {
      return await reachTarget(this.#reach, target, deadline.signal);
    } finally {
      this.#pending -= 1;
    }
  }

  async #read(socket: Socket, signal: AbortSignal) {
    using deadline = new Deadline(this.#deps.clock, this.#deps.limits.prefaceTimeoutMs, signal);
    return parseEgressRequest(await readEgressFrame(socket, deadline.signal));
  }

  /** What is no request of an enclave of this release is not answered. */
  #refuse(socket: Socket, error: unknown): void {
    const code = errorCode(error);
    if (socket.destroyed || !(error instanceof CodedError) || !isHostCode(code)) {
      this.#count(code === 'WIRE_FRAME_TOO_LARGE' || code === 'WIRE_MESSAGE_INVALID' ? 'malformed' : 'abandoned');
      socket.destroy();
      return;
    }
    this.#count(outcomeOf(code));
    this.#deps.logger.log('warn', 'egress.refused', { code, found: error.found, reason: error.message });
    socket.end(encodeFrame(egressRefused(code, error.message)), () => socket.destroy());
  }

  #count(outcome: string): void {
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
  }
}

function outcomeOf(code: HostCode): string {
  return code.replace(/^EGRESS_(HOST_)?/, '').toLowerCase();
}
