/** Fetches the official acra-server image into the cache. */
import { pullAcraServer } from '../../acra/obtain/pull.ts';
import { acraCacheFolder } from '../acra-cache.ts';
import { green, printJson, printLine, progress } from '../output.ts';
import { untilStopped } from '../until-signal.ts';

export async function pull({ json }: { readonly json?: boolean }): Promise<void> {
  const cacheFolder = acraCacheFolder(process.env);
  const program = await untilStopped((signal) =>
    pullAcraServer({ cacheFolder, environment: process.env, signal, onProgress: progress }),
  );
  if (json) printJson(program);
  else printLine(`${green('ready')} ${program.description}`);
}
