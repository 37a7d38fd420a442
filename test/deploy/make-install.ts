/** Runs `make install` and `make uninstall` as an operator would, into a folder of the test's own. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

const SCRIPT = join(PROJECT, 'deploy/install.ts');
/** The same as a shell command. */
export const INSTALL = `'${process.execPath}' '${SCRIPT}'`;

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

export function runIn(folder: string, program: string, args: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' });
  return { code: status, output: `${stdout}${stderr}` };
}

/** The installer as make starts it; make itself would first look at node_modules. */
export function installer(action: 'install' | 'uninstall', destdir: string, ...options: readonly string[]): Ended {
  return runIn('/', process.execPath, [SCRIPT, action, '--destdir', destdir, ...options]);
}

/** Files and links below a folder, relative to it, sorted. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length))
    .sort();
}
