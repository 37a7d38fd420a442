/** `acra-enclave host-proxy`: the daemon on the parent instance, until SIGTERM. */
import { Command } from 'commander';

export function hostProxyCommand(): Command {
  return new Command('host-proxy')
    .description('Run the daemon on the parent instance: forwards KMS, IMDS and PostgreSQL traffic for the enclave.')
    .requiredOption('-c, --config <file>', 'host-proxy.yaml')
    .addHelpText('after', '\nIts log is JSON lines; /healthz, /readyz, /metrics and /status are on `admin.listen`.')
    .action(async ({ config }: { config: string }) => {
      const { runHostProxy } = await import('../actions/host-proxy.ts');
      await runHostProxy(config);
    });
}
