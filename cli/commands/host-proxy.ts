/** `acra-enclave host-proxy`: the daemon on the parent instance, until SIGTERM. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { hostProxySchema } from '../../config/host-proxy.ts';
import { loadConfig } from '../../config/load.ts';
import { HostProxy } from '../../host-proxy/daemon.ts';
import { systemClock } from '../../runtime/clock.ts';
import { untilAborted, watchStopSignals } from '../until-signal.ts';

async function runHostProxy(file: string): Promise<void> {
  const config = loadConfig(hostProxySchema, resolve(file));
  const stop = watchStopSignals();
  const daemon = new HostProxy(config, systemClock);
  try {
    await daemon.start(stop.signal);
    const failure = await Promise.race([untilAborted(stop.signal), daemon.whenFailed()]);
    await daemon.stop();
    if (failure) throw failure;
  } finally {
    stop.dispose();
  }
}

export function hostProxyCommand(): Command {
  return new Command('host-proxy')
    .description('Run the daemon on the parent instance: forwards KMS, IMDS and PostgreSQL traffic for the enclave.')
    .requiredOption('-c, --config <file>', 'host-proxy.yaml')
    .addHelpText('after', '\nIts log is JSON lines; /healthz, /readyz, /metrics and /status are on `admin.listen`.')
    .action(({ config }: { config: string }) => runHostProxy(config));
}
