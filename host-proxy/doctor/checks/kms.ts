/** Whether KMS can be reached and is who it should be. The parent only forwards: the enclave makes its own TLS. */
import { isIP } from 'node:net';
import type { Check } from '../check.ts';
import { ok, skipped } from '../check.ts';

export const kmsCheck: Check = {
  name: 'kms',
  checked: 'KMS answers over TLS',
  advice:
    'Open port 443 to the host of `kms.connect` (security group, network ACL, route), or make a VPC endpoint for KMS with ' +
    'private DNS. A certificate error means that something between reads TLS: the enclave will refuse it too.',
  async examine({ config, system, signal }) {
    const { connect } = config.kms;
    if (connect.kind !== 'tcp') return skipped('`kms.connect` is not a TCP address');
    if (isIP(connect.host) !== 0) return skipped('`kms.connect` is an IP address: no certificate names it');
    await system.dateOverTls(connect, signal);
    return ok(`${connect.host} has a valid certificate`);
  },
};
