/** `acra-enclave run`: the parent's daemon with the enclave that it starts, until SIGTERM or `acra-enclave stop`. */
import { Command } from 'commander';

export function runCommand(): Command {
  return new Command('run')
    .description(
      'Start the enclave and keep it running: opens the routes, boots the image, starts it again when it fails.',
    )
    .requiredOption('-c, --config <file>', 'host-proxy.yaml with a section enclave.run')
    .addHelpText(
      'after',
      '\nEnds with code 0 after an ordered stop, with 1 and the reason when the enclave is not started again.',
    )
    .action(async ({ config }: { config: string }) => {
      const { runEnclave } = await import('../actions/run.ts');
      await runEnclave(config);
    });
}
