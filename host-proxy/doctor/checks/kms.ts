/** Whether KMS can be reached and is who it should be. The parent only forwards: the enclave makes its own TLS. */
import { isIP } from 'node:net';
import { KMS_ROUTES } from '../../../config/key-keeper.ts';
import type { Check } from '../check.ts';
import { ok, skipped } from '../check.ts';

export const kmsCheck: Check = {
  name: 'kms',
  checked: 'KMS answers over TLS',
  advice:
    'Open port 443 to the host of `kms.connect` (security group, network ACL, route), or make a VPC endpoint for KMS with ' +
    'private DNS. A certificate error means that something between reads TLS: the enclave will refuse it too.',
  async examine({ config, system, signal }) {
    const sections = KMS_ROUTES.flatMap((route) => config[route] ?? []);
    if (sections.length === 0) return skipped('there is no section `kms`: this enclave goes without');
    const named = sections.flatMap(({ connect }) => (connect.kind === 'tcp' ? connect : []));
    if (named.length === 0) return skipped('`kms.connect` is not a TCP address');
    const hosts = named.filter(({ host }) => isIP(host) === 0);
    if (hosts.length === 0) return skipped('`kms.connect` is an IP address: no certificate names it');
    for (const connect of hosts) await system.dateOverTls(connect, signal);
    return ok(hosts.map(({ host }) => `${host} has a valid certificate`).join('; '));
  },
};
