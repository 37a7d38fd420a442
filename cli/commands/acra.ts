/** `acra-enclave acra pull`: fetches the official acra-server image into the cache. */
import { Command } from 'commander';

export function acraCommand(): Command {
  const pull = new Command('pull')
    .description('Fetch the official acra-server 0.96.0 with skopeo, podman or docker, and pin its digest.')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const actions = await import('../actions/acra.ts');
      await actions.pull(options);
    });
  return new Command('acra').description('Obtain acra-server itself.').addCommand(pull);
}
