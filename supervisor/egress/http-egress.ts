/**
 * HTTP egress inside the enclave as one service: the proxy, and where `transparent` is set, DNS and the addresses that lead out. The programs'
 * environment and resolv.conf follow from it. Specification: docs/specs/egress.md.
 */
import type { HttpEgress as HttpEgressSection } from '../../config/app/egress.ts';
import { untilAborted } from '../../runtime/abort.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Service } from '../../runtime/service.ts';
import { parseEgressList } from '../../wire/egress/judge.ts';
import { formatAuthority, type TcpEndpoint } from '../../wire/endpoint.ts';
import { type MetricSample, sample } from '../../wire/metrics.ts';
import { Outcomes } from './outcomes.ts';
import { EgressProxy } from './proxy.ts';
import { type DialParent, Reach } from './reach.ts';
import { Transparent } from './transparent.ts';

/** Programs have ended before: what is still open is soon over, or nobody's. */
const DRAIN_MS = 1_000;

export interface HttpEgressDeps {
  readonly section: HttpEgressSection;
  readonly dialParent: DialParent;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class HttpEgress implements Service {
  readonly #deps: HttpEgressDeps;
  readonly #outcomes: Outcomes;
  readonly #reach: Reach;
  readonly #proxy: EgressProxy;
  readonly #transparent: Transparent | undefined;

  /** @throws EgressError EGRESS_RULE */
  constructor(deps: HttpEgressDeps) {
    const { section, dialParent, clock, logger } = deps;
    const { listen, limits, transparent } = section;
    const list = parseEgressList(section);
    const outcomes = new Outcomes(logger);
    const reach = new Reach({ list, dialParent, limits, clock });
    this.#deps = deps;
    this.#outcomes = outcomes;
    this.#reach = reach;
    this.#proxy = new EgressProxy({ listen, limits, reach, outcomes });
    this.#transparent =
      transparent &&
      new Transparent({ ...transparent, list, reach, outcomes, clock, logger, tunnels: this.#proxy.tunnels });
  }

  /** @throws EgressProxyError EGRESS_BIND; nothing is left behind then */
  async start(signal: AbortSignal): Promise<void> {
    await this.#proxy.start(signal);
    try {
      await this.#transparent?.start(signal);
    } catch (error) {
      await this.#proxy.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    using deadline = new Deadline(this.#deps.clock, DRAIN_MS);
    await untilAborted(this.#proxy.drain(), deadline.signal).catch(() => undefined);
    await this.#transparent?.stop();
    this.#reach.close();
    await this.#proxy.stop();
  }

  /** Of the proxy; the port is the real one when 0 was asked for. */
  get address(): TcpEndpoint {
    return this.#proxy.address;
  }

  /** Undefined without `transparent`. */
  get dnsAddress(): TcpEndpoint | undefined {
    return this.#transparent?.dnsAddress;
  }

  /** For all programs. Node’s own clients heed the variables only when they are told to. */
  get environment(): Readonly<Record<string, string>> {
    const proxy = `http://${formatAuthority(this.address)}`;
    const direct = 'localhost,127.0.0.1,::1';
    return {
      http_proxy: proxy,
      https_proxy: proxy,
      HTTP_PROXY: proxy,
      HTTPS_PROXY: proxy,
      no_proxy: direct,
      NO_PROXY: direct,
      NODE_USE_ENV_PROXY: '1',
    };
  }

  /** /etc/resolv.conf of programs (resolv.conf(5), which knows no port); undefined without `transparent`: then no name resolves. */
  get resolvConf(): string | undefined {
    const dns = this.dnsAddress;
    return dns && `nameserver ${dns.host}\noptions timeout:2 attempts:2\n`;
  }

  get samples(): readonly MetricSample[] {
    const queries = [...(this.#transparent?.queries ?? [])];
    return [
      ...[...this.#outcomes.counts].map(([outcome, count]) => sample('egress_requests_total', { outcome }, count)),
      sample('egress_connections', {}, this.#reach.size),
      ...queries.map(([outcome, count]) => sample('egress_dns_queries_total', { outcome }, count)),
      ...(this.#transparent === undefined ? [] : [sample('egress_names', {}, this.#transparent.names)]),
    ];
  }
}
