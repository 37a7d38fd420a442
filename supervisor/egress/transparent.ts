/**
 * The way out for programs that ignore proxies: an allowed name resolves to a loopback address of its own, where each port that the rules open
 * for the name is listened on; what connects there goes out as CONNECT would, and is judged as that. Specification: docs/specs/egress.md, 6.
 */

import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../runtime/clock.ts';
import { describeError } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Service } from '../../runtime/service.ts';
import { listenAt } from '../../system/listen.ts';
import { type EgressList, portsOfName } from '../../wire/egress/judge.ts';
import { egressTarget } from '../../wire/egress/target.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import type { NameAnswer } from './dns-answers.ts';
import { DnsServer } from './dns-server.ts';
import { EgressProxyError } from './errors.ts';
import { type KnownName, Names } from './names.ts';
import type { Outcomes } from './outcomes.ts';
import type { Reach } from './reach.ts';
import type { Tunnels } from './tunnels.ts';

export interface TransparentDeps {
  readonly dns: TcpEndpoint;
  readonly network: string;
  readonly list: EgressList;
  readonly reach: Reach;
  readonly tunnels: Tunnels;
  readonly outcomes: Outcomes;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Transparent implements Service {
  readonly #deps: TransparentDeps;
  readonly #names: Names;
  readonly #dns: DnsServer;
  readonly #listeners = new Map<string, Promise<readonly Server[]>>();
  /** By the outcome of their answers. */
  readonly queries = new Map<string, number>();
  #isStopped = false;

  constructor(deps: TransparentDeps) {
    this.#deps = deps;
    this.#names = new Names(deps.network, deps.clock);
    this.#dns = new DnsServer({
      listen: deps.dns,
      ask: (name) => this.#ask(name),
      onOutcome: (outcome) => this.queries.set(outcome, (this.queries.get(outcome) ?? 0) + 1),
    });
  }

  /** Names without wildcards come first, so that each has the same address in every boot. @throws EgressProxyError EGRESS_BIND */
  async start(signal: AbortSignal): Promise<void> {
    try {
      for (const { rule } of this.#deps.list.allow) {
        if (rule.kind !== 'name' || rule.isDeep || rule.labels.includes('*')) continue;
        const answer = await this.#ask(rule.labels.join('.'));
        if (answer.kind === 'busy') throw new EgressProxyError('EGRESS_BIND', `no address is left for ${rule.text}`);
      }
      await this.#dns.start(signal);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#dns.stop();
    await Promise.all([...this.#listeners.keys()].map((name) => this.#close(name)));
  }

  get dnsAddress(): TcpEndpoint {
    return this.#dns.address;
  }

  get names(): number {
    return this.#names.size;
  }

  async #ask(asked: string): Promise<NameAnswer> {
    const name = canonicalName(asked);
    const ports = name === undefined ? [] : portsOfName(this.#deps.list, name);
    if (name === undefined || ports.length === 0 || this.#isStopped) return { kind: 'unknown' };
    const found = this.#names.ask(name);
    if (found === undefined) return { kind: 'busy' };
    if (found.dropped !== undefined) await this.#close(found.dropped.name);
    if (found.isNew) this.#listeners.set(name, this.#listen(found.given, ports));
    try {
      await this.#listeners.get(name);
      return { kind: 'address', address: found.given.address };
    } catch (error) {
      this.#names.forget(name);
      this.#listeners.delete(name);
      this.#deps.logger.log('warn', 'egress.unlistenable', { host: name, reason: describeError(error) });
      return { kind: 'busy' };
    }
  }

  /** All of them or none. */
  async #listen({ name, address }: KnownName, ports: readonly number[]): Promise<readonly Server[]> {
    const asked = ports.map((port) => ({
      port,
      server: createServer(
        { allowHalfOpen: true, pauseOnConnect: true },
        (socket) => void this.#pass(socket, name, port),
      ),
    }));
    const servers = asked.map(({ server }) => server);
    const listening = asked.map(({ server, port }) => listenOn(server, address, port));
    const failure = (await Promise.allSettled(listening)).find(({ status }) => status === 'rejected');
    if (failure?.status !== 'rejected') return servers;
    for (const server of servers) closeServer(server);
    throw failure.reason;
  }

  async #close(name: string): Promise<void> {
    const servers = await this.#listeners.get(name)?.catch(() => []);
    this.#listeners.delete(name);
    for (const server of servers ?? []) closeServer(server);
  }

  async #pass(socket: Socket, name: string, port: number): Promise<void> {
    const { reach, tunnels, outcomes } = this.#deps;
    const gone = new AbortController();
    socket.on('error', () => socket.destroy()).once('close', () => gone.abort());
    const held = this.#names.hold(socket.localAddress ?? '');
    socket.once('close', () => held?.release());
    try {
      const upstream = await reach.connect(egressTarget(name, port), gone.signal);
      outcomes.count('passed');
      tunnels.add(socket, upstream);
    } catch (error) {
      outcomes.failed(error);
      // A reset, where the transport has one: nobody was there.
      socket.resetAndDestroy();
    }
  }
}

/** Undefined for what is no name that could be reached. */
function canonicalName(asked: string): string | undefined {
  try {
    const target = egressTarget(asked, 1);
    return target.kind === 'name' ? target.host : undefined;
  } catch {
    return undefined;
  }
}

function listenOn(server: Server, host: string, port: number): Promise<void> {
  const failed = (cause: unknown) => new EgressProxyError('EGRESS_BIND', `cannot listen on ${host}:${port}`, { cause });
  return listenAt(server, { host, port }, failed);
}

/** What it took stays: tunnels end by themselves, and nobody waits for them. */
function closeServer(server: Server): void {
  if (server.listening) server.close();
}
