/** `acra-enclave logs`: the newest log records of the parent and of its enclave. */
import { Command } from 'commander';
import type { LogsOptions } from '../actions/logs.ts';

export function logsCommand(): Command {
  return new Command('logs')
    .description('Show the newest log records of host-proxy and of the enclave; the daemon keeps 4,000.')
    .option('-c, --config <file>', "the daemon's host-proxy.yaml; default: the daemon in /run/acra-enclave")
    .option('-n, --lines <count>', 'how many', '50')
    .option('-f, --follow', 'go on until Ctrl-C or until the daemon stops')
    .option('--json', 'print the records as they are')
    .action(async (options: LogsOptions) => {
      const { showLogs } = await import('../actions/logs.ts');
      await showLogs(options);
    });
}
