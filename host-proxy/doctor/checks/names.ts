/**
 * Whether the names of host-proxy.yaml have addresses, asked as the daemon asks: by the system's lookup. What it finds is shown,
 * so that an entry of /etc/hosts that DNS contradicts is seen.
 */
import { isIP } from 'node:net';
import type { HostProxyConfig } from '../../../config/host-proxy.ts';
import { KMS_ROUTES } from '../../../config/key-keeper.ts';
import { describeError } from '../../../runtime/errors.ts';
import type { Check, CheckContext } from '../check.ts';
import { failure, ok, skipped, warning } from '../check.ts';

/** A resolver that answers at all answers sooner; a silent server costs resolv.conf(5)'s `timeout`, 5 s unless it says otherwise. */
const SLOW_MS = 1_000;

interface Named {
  readonly host: string;
  readonly addresses: readonly string[];
  readonly durationMs: number;
  readonly error: string | undefined;
}

function hostsOf(config: HostProxyConfig): string[] {
  const others =
    config.workload === 'app'
      ? Object.values(config.egress.routes).map(({ connect }) => connect)
      : [config.database.connect];
  const ofKms = KMS_ROUTES.map((route) => config[route]?.connect);
  const hosts = [...others, ...ofKms, config.imds.connect].map((upstream) =>
    upstream?.kind === 'tcp' ? upstream.host : '',
  );
  return [...new Set(hosts)].filter((host) => host !== '' && isIP(host) === 0);
}

async function lookUp({ system, signal }: CheckContext, host: string): Promise<Named> {
  const startMs = system.clock.monotonicMs();
  const named = (addresses: readonly string[], error: string | undefined): Named => {
    return { host, addresses, durationMs: system.clock.monotonicMs() - startMs, error };
  };
  try {
    return named(await system.resolve(host, signal), undefined);
  } catch (error) {
    if (signal.aborted) throw error;
    return named([], describeError(error));
  }
}

export const namesCheck: Check = {
  name: 'names',
  checked: 'the names of host-proxy.yaml have addresses',
  advice: 'A DNS server of /etc/resolv.conf does not answer: `getent ahosts NAME` takes as long as the daemon does.',
  async examine(context) {
    const hosts = hostsOf(context.config);
    if (hosts.length === 0) return skipped('host-proxy.yaml names no host');
    const found = await Promise.all(hosts.map((host) => lookUp(context, host)));
    const unknown = found.find(({ addresses }) => addresses.length === 0);
    if (unknown !== undefined) {
      const why = unknown.error ?? 'no address';
      return failure(`${unknown.host}: ${why}`, 'Mend the name, or make it known to this machine: DNS or /etc/hosts.');
    }
    const slow = found.find(({ durationMs }) => durationMs >= SLOW_MS);
    if (slow === undefined)
      return ok(found.map(({ host, addresses }) => `${host} is ${addresses.join(', ')}`).join('; '));
    return warning(
      `${slow.host} took ${(slow.durationMs / 1_000).toFixed(1)} s to resolve`,
      'Remove the DNS server of /etc/resolv.conf that does not answer: the first session after a start waits as long.',
    );
  },
};
