/** `acra-enclave host-proxy`: the daemon on the parent instance, until a signal ends it. */

import { resolve } from 'node:path';
import { Command } from 'commander';
import { hostProxySchema } from '../../config/host-proxy.ts';
import { loadConfig } from '../../config/load.ts';
import { ForwardingHost } from '../../host-proxy/forwarding-host.ts';
import { systemClock } from '../../runtime/clock.ts';
import { untilStopped } from '../until-signal.ts';

async function runHostProxy({ config: file }: { readonly config: string }): Promise<void> {
  const host = new ForwardingHost(loadConfig(hostProxySchema, resolve(file)), systemClock);
  await untilStopped((signal) => host.run(signal), { onHangUp: () => host.reopenLogs() });
}

export function hostProxyCommand(): Command {
  return new Command('host-proxy')
    .description('Run the daemon on the parent instance: forwards KMS, IMDS and PostgreSQL traffic for the enclave.')
    .requiredOption('-c, --config <file>', 'host-proxy.yaml')
    .addHelpText(
      'after',
      '\n`acra-enclave status` and `logs` ask it; what started the enclave stops it.' +
        '\nIts log is JSON lines; /healthz, /readyz, /metrics and /status are on `admin.listen`.' +
        '\nSIGHUP opens its log file anew; in a terminal it ends like every other signal.',
    )
    .action(runHostProxy);
}
