/** Runs a recipe of scripts/ as a process group of its own, which ends with the signal. Its lines go to whoever watches. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { VmToolError } from './errors.ts';
import { endGroup } from './process-group.ts';

/** Exit code of a recipe when the mirror lacks the version. */
const EXIT_NO_SOURCE = 3;
const KEPT_LINES = 40;

export interface ToolContext {
  /** The folder with scripts/. */
  readonly projectFolder: string;
  /** Tools, package indexes and build trees are kept here. */
  readonly cacheFolder: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Gets one line for people at each step, and every 15 s during a long one. */
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** @throws VmToolError VM_TOOL_SOURCE, VM_TOOL_BUILD; the signal's reason */
export async function runRecipe(
  name: string,
  script: string,
  args: readonly string[],
  context: ToolContext,
): Promise<void> {
  const { signal, environment, cacheFolder, onProgress } = context;
  signal.throwIfAborted();
  const child = spawn('bash', [script, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...environment, CACHE: cacheFolder },
    detached: true,
  });
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
    onProgress(`${name}: ${line}`);
  });
  const stop = (): void => endGroup(child);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal.throwIfAborted();
    if (code !== 0) throw failure(name, code, lines.join('\n'));
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function failure(name: string, code: number | null, output: string): VmToolError {
  if (code === EXIT_NO_SOURCE) {
    return new VmToolError('VM_TOOL_SOURCE', `the source of ${name} is not on the mirror`, { found: output });
  }
  return new VmToolError('VM_TOOL_BUILD', `${name} did not build:\n${output}`);
}
