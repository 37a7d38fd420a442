/**
 * The environment of the Node processes and threads that a daemon starts: nothing of ours but where compiled code is
 * cached, so that they start fast; empty where no cache is in use, as in an enclave.
 */
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';

/** Node names the folder that it has made for its own version, in the one that it was given. */
export function nodeChildEnvironment(): Record<string, string> {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}
