/** Where what was fetched or built once is kept: the user's cache, by the XDG base directory specification. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** @param what of it; each has a folder of its own */
export function userCacheFolder(
  environment: NodeJS.ProcessEnv,
  what: 'acra-server' | 'images' | 'kernel' | 'vm',
): string {
  const cache = environment['XDG_CACHE_HOME'];
  return join(cache === undefined || cache === '' ? join(homedir(), '.cache') : cache, 'acra-enclave', what);
}
