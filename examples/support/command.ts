/** `acra-enclave`, as somebody else runs it. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const EXECUTABLE = fileURLToPath(new URL('../../bin/acra-enclave', import.meta.url));

export interface CommandEnd {
  readonly code: number | null;
  readonly output: string;
}

export function acraEnclave(words: readonly string[], signal: AbortSignal): Promise<CommandEnd> {
  const { promise, resolve } = Promise.withResolvers<CommandEnd>();
  const child = execFile(EXECUTABLE, words, { signal }, (_, stdout, stderr) =>
    resolve({ code: child.exitCode, output: `${stdout}${stderr}` }),
  );
  return promise;
}
