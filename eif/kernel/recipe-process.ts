/** Runs the recipe of the kernel as a process group of its own, which ends with us or with the signal. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { KernelError } from '../build-errors.ts';

/** Exit code of scripts/build-kernel.sh when the mirror lacks the version. */
const EXIT_NO_SOURCE = 3;
const KEPT_LINES = 40;

interface RecipeContext {
  readonly cacheFolder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly onProgress: (step: string) => void;
}

/** @throws KernelError KERNEL_SOURCE, KERNEL_BUILD; the signal's reason */
export async function runRecipe(script: string, args: readonly string[], context: RecipeContext): Promise<void> {
  const { signal } = context;
  signal.throwIfAborted();
  const child = spawn('bash', [script, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...context.environment, CACHE: context.cacheFolder },
    detached: true,
  });
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
    context.onProgress(`kernel: ${line}`);
  });
  const endGroup = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    } catch {
      // it has just ended by itself
    }
  };
  signal.addEventListener('abort', endGroup, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal.throwIfAborted();
    if (code !== 0) throw failure(code, lines.join('\n'));
  } finally {
    signal.removeEventListener('abort', endGroup);
  }
}

function failure(code: number | null, output: string): KernelError {
  if (code === EXIT_NO_SOURCE) {
    return new KernelError('KERNEL_SOURCE', 'the wanted version of linux-source-6.12 is not on the mirror', {
      found: output,
    });
  }
  return new KernelError('KERNEL_BUILD', `the kernel did not build:\n${output}`);
}
