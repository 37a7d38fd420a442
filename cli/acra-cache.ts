/** Where the official acra-server image is kept once pulled: the user's cache, by the XDG base directory specification. */
import { homedir } from 'node:os';
import { join } from 'node:path';

export function acraCacheFolder(environment: NodeJS.ProcessEnv): string {
  const cache = environment['XDG_CACHE_HOME'];
  return join(cache === undefined || cache === '' ? join(homedir(), '.cache') : cache, 'acra-enclave', 'acra-server');
}
