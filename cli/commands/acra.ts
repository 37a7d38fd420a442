/** `acra-enclave acra pull`: fetches the official acra-server image into the cache. */
import { Command } from 'commander';
import { pullAcraServer } from '../../acra/obtain/pull.ts';
import { acraCacheFolder } from '../acra-cache.ts';
import { green, printJson, printLine, progress } from '../output.ts';
import { watchStopSignals } from '../until-signal.ts';

export function acraCommand(): Command {
  const pull = new Command('pull')
    .description('Fetch the official acra-server 0.96.0 with skopeo, podman or docker, and pin its digest.')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const cacheFolder = acraCacheFolder(process.env);
      const stop = watchStopSignals();
      try {
        const options = { cacheFolder, environment: process.env, signal: stop.signal, onProgress: progress };
        const program = await pullAcraServer(options);
        if (json) printJson(program);
        else printLine(`${green('ready')} ${program.description}`);
      } finally {
        stop.dispose();
      }
    });
  return new Command('acra').description('Obtain acra-server itself.').addCommand(pull);
}
