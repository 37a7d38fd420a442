/** Fetches the official acra-server image into the cache. */
import { pullAcraServer } from '../../acra/obtain/pull.ts';
import { acraCacheFolder } from '../acra-cache.ts';
import { green, printJson, printLine, progress } from '../output.ts';
import { watchStopSignals } from '../until-signal.ts';

export async function pull({ json }: { readonly json?: boolean }): Promise<void> {
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
}
