/** The commands of docs/guide.md, by where they run; a test runs those of its place as one script, as a reader would. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { PROJECT, readSource } from '../project/imports.ts';

const BLOCK = /^```sh ([a-z0-9]+)\n([\s\S]*?)^```/gm;

/** In the order of the page. */
export function guideBlocks(place: string): string[] {
  return [...readSource('docs/guide.md').matchAll(BLOCK)].flatMap(([, where, block = '']) =>
    where === place ? [block] : [],
  );
}

export interface GuideRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Ends at the first command that fails; before each block its number is printed. */
export async function runGuide(place: string, environment: Readonly<Record<string, string>>): Promise<GuideRun> {
  const script = guideBlocks(place).map((block, index) => `echo "== block ${index + 1}"\n${block}`);
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script.join('\n')], {
    cwd: PROJECT,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const outputs = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = (await once(child, 'exit')) as [number | null];
  const [stdout, stderr] = await outputs;
  return { code, stdout, stderr };
}
