/** Waiting for what another process writes: inotify says when to look again (fs.watch), so that nothing looks by the clock. */
import { watch } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Resolves with the first result of `look` that is neither undefined, null nor false; `look` is asked at once, and again whenever
 * something changes in the folder of the file, which has to exist.
 */
export async function untilChanged<Result>(
  file: string,
  look: () => Result | undefined | null | false,
  signal = new AbortController().signal,
): Promise<Result> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  let isDue = false;
  // A burst of changes is one look.
  const watcher = watch(dirname(file), () => {
    if (!isDue) setImmediate(again);
    isDue = true;
  });
  const onAbort = () => reject(signal.reason);
  const again = () => {
    isDue = false;
    try {
      const found = look();
      if (found !== undefined && found !== null && found !== false) resolve(found);
    } catch (error) {
      reject(error);
    }
  };
  watcher.on('error', reject);
  signal.addEventListener('abort', onAbort, { once: true });
  // Looks after the watch has begun, so that no change falls in between.
  again();
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    watcher.close();
  }
}
