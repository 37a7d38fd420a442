/** Both ends of HTTP egress over a unix socket, each with a list of its own, and a resolver that knows what the test says. */
import { join } from 'node:path';
import { appEgressSection, type HttpEgress as HttpEgressSection } from '../../../../config/app/egress.ts';
import { HostEgress } from '../../../../host-proxy/egress/host-egress.ts';
import type { Resolver } from '../../../../relay/resolver.ts';
import type { Clock } from '../../../../runtime/clock.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { parentDialler } from '../../../../supervisor/egress/dial-parent.ts';
import { HttpEgress } from '../../../../supervisor/egress/http-egress.ts';
import type { TcpEndpoint } from '../../../../wire/endpoint.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

type Section = Partial<Pick<HttpEgressSection, 'allow' | 'deny'>> & {
  readonly limits?: Partial<HttpEgressSection['limits']>;
  /** Its DNS is on a free port too, unless it is said where. */
  readonly transparent?: { readonly network: string; readonly dns?: TcpEndpoint };
};

/** As the schema has it, on free ports. */
function egressSection({ transparent, ...section }: Section): HttpEgressSection {
  const { http } = appEgressSection.parse({ http: { allow: [], ...section } });
  if (http === undefined) throw new TypeError('the section is there');
  const free = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
  return {
    ...http,
    listen: free,
    ...(transparent === undefined ? {} : { transparent: { dns: free, ...transparent } }),
  };
}

/** What a test lets every name lead to, unless it says otherwise. */
export const LOOPBACK = '127.0.0.1:1-65535';

export interface EndsOptions {
  readonly enclave: Section;
  /** Default: that of the enclave. */
  readonly host?: { readonly allow: readonly string[]; readonly deny?: readonly string[] };
  readonly hostLimits?: Partial<HttpEgressSection['limits']>;
  /** Addresses by name; a name that is not here has none. */
  readonly names?: Readonly<Record<string, readonly string[]>>;
  readonly resolver?: Resolver;
  readonly clock?: Clock;
}

function resolverOf(names: Readonly<Record<string, readonly string[]>>): Resolver & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    resolve: async (host) => {
      asked.push(host);
      const found = names[host];
      if (found === undefined) throw Object.assign(new TypeError(`no such name: ${host}`), { code: 'ENOTFOUND' });
      return { addresses: found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })), ttlMs: 0 };
    },
  };
}

type Teardown = { teardown(fn: () => unknown): void };

export async function startEnds(t: Teardown, options: EndsOptions) {
  const { clock = systemClock, names = {} } = options;
  const socketPath = join(temporaryFolder(t), 'egress.sock');
  const section = egressSection(options.enclave);
  const { allow, deny = [] } = options.host ?? section;
  const logger = new MemoryLogger();
  const hostLogger = new MemoryLogger();
  const host = new HostEgress({
    section: { allow: [...allow], deny: [...deny] },
    socketPath,
    limits: { ...section.limits, ...options.hostLimits },
    clock,
    logger: hostLogger,
    resolver: options.resolver ?? resolverOf(names),
  });
  const dialParent = parentDialler({ kind: 'unix', path: socketPath });
  const enclave = new HttpEgress({ section, dialParent, clock, logger });
  t.teardown(async () => {
    await enclave.stop();
    await host.stop();
  });
  const { signal } = new AbortController();
  await host.start(signal);
  await enclave.start(signal);
  return { enclave, host, logger, hostLogger, socketPath, port: enclave.address.port };
}
