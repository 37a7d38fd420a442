/** `acra-enclave status`: where the enclave is. */
import { Command } from 'commander';
import type { StatusOptions } from '../actions/status.ts';

export function statusCommand(): Command {
  return new Command('status')
    .description('Tell how the enclave is. Exit code 1 when it does not serve.')
    .option('-c, --config <file>', "the daemon's host-proxy.yaml; default: the daemon in /run/acra-enclave")
    .option('--json', 'print JSON')
    .action(async (options: StatusOptions) => {
      const { showStatus } = await import('../actions/status.ts');
      await showStatus(options);
    });
}
