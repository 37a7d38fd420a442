/** `acra-enclave acra pull`: fetches the official acra-server image into the cache. */
import { Command } from 'commander';
import { pullAcraServer } from '../../acra/obtain/pull.ts';
import { acraCacheFolder } from '../acra-cache.ts';
import { green, printJson, printLine, progress } from '../output.ts';
import { untilStopped } from '../until-signal.ts';

async function pull({ json }: { readonly json?: boolean }): Promise<void> {
  const cacheFolder = acraCacheFolder(process.env);
  const program = await untilStopped((signal) =>
    pullAcraServer({ cacheFolder, environment: process.env, signal, onProgress: progress }),
  );
  if (json) printJson(program);
  else printLine(`${green('ready')} ${program.description}`);
}

export function acraCommand(): Command {
  const command = new Command('pull')
    .description('Fetch the official acra-server 0.96.0 with skopeo, podman or docker, and pin its digest.')
    .option('--json', 'print JSON')
    .action(pull);
  return new Command('acra').description('Obtain acra-server itself.').addCommand(command);
}
