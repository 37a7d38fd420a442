/** Runs a recipe of scripts/ as a process group of its own, which ends with the signal. Its lines go to whoever watches. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { endGroup } from '../../system/processes/process-group.ts';

/** Exit code of a recipe when the mirror lacks the version. */
const EXIT_NO_SOURCE = 3;
const KEPT_LINES = 40;

export interface Recipe {
  /** What it makes; before each of its lines. */
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
}

export interface RecipeContext {
  /** Package indexes and build trees are kept here. */
  readonly cacheFolder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Gets one line for people at each step. */
  readonly onProgress: (line: string) => void;
}

/** How a recipe failed, in its caller's words; `output` is the end of what it said. */
export type ExplainFailure = (failure: 'no-source' | 'no-build', output: string) => Error;

/** @throws what `explain` returns; the signal's reason */
export async function runRecipe(recipe: Recipe, context: RecipeContext, explain: ExplainFailure): Promise<void> {
  const { signal } = context;
  signal.throwIfAborted();
  const child = spawn('bash', [recipe.script, ...recipe.args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...context.environment, CACHE: context.cacheFolder },
    detached: true,
  });
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
    context.onProgress(`${recipe.name}: ${line}`);
  });
  const stop = (): void => endGroup(child.pid);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal.throwIfAborted();
    if (code !== 0) throw explain(code === EXIT_NO_SOURCE ? 'no-source' : 'no-build', lines.join('\n'));
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
