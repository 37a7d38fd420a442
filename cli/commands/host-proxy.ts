/** `acra-enclave host-proxy`: the daemon on the parent instance, until a signal ends it. */

import { resolve } from 'node:path';
import { Command } from 'commander';
import { hostProxySchema } from '../../config/host-proxy.ts';
import { loadConfig } from '../../config/load.ts';
import { HostProxy } from '../../host-proxy/daemon.ts';
import { whenAborted } from '../../runtime/abort.ts';
import { systemClock } from '../../runtime/clock.ts';
import { untilStopped } from '../until-signal.ts';

async function runHostProxy({ config: file }: { readonly config: string }): Promise<void> {
  const config = loadConfig(hostProxySchema, resolve(file));
  const daemon = new HostProxy(config, systemClock);
  await untilStopped(
    async (signal) => {
      await daemon.start(signal);
      const failure = await Promise.race([whenAborted(signal), daemon.whenFailed()]);
      await daemon.stop();
      if (failure) throw failure;
    },
    { onHangUp: () => daemon.reopenLogs() },
  );
}

export function hostProxyCommand(): Command {
  return new Command('host-proxy')
    .description('Run the daemon on the parent instance: forwards KMS, IMDS and PostgreSQL traffic for the enclave.')
    .requiredOption('-c, --config <file>', 'host-proxy.yaml')
    .addHelpText(
      'after',
      '\nIts log is JSON lines; /healthz, /readyz, /metrics and /status are on `admin.listen`.' +
        '\nSIGHUP opens its log file anew; in a terminal it ends like every other signal.',
    )
    .action(runHostProxy);
}
