/** `acra-enclave stop`: ends the enclave in order, then the daemon. */
import { Command } from 'commander';
import type { DaemonOption } from '../actions/ask.ts';

export function stopCommand(): Command {
  return new Command('stop')
    .description('Stop the enclave in order, wait for it, and tell how it ended; the daemon ends too.')
    .option('-c, --config <file>', "the daemon's host-proxy.yaml; default: the daemon in /run/acra-enclave")
    .action(async (options: DaemonOption) => {
      const { stopEnclave } = await import('../actions/stop.ts');
      await stopEnclave(options);
    });
}
