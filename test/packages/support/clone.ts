/** The commit that is checked out, cloned into a folder of the test's own; the installed packages are shared. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../../deploy/make-install.ts';

/** @param folder made here */
export function cloneProject(folder: string, source = PROJECT): void {
  execFileSync('git', ['clone', '--quiet', source, folder]);
  // A link is no folder, as .gitignore has it.
  appendFileSync(join(folder, '.git/info/exclude'), 'node_modules\n');
  symlinkSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
}

/** Two ways in which machines and people differ, and bytes must not. */
export const SURROUNDINGS: readonly {
  readonly umask: string;
  readonly environment: Readonly<Record<string, string>>;
}[] = [
  { umask: '022', environment: { TZ: 'UTC', LANG: 'C', LC_ALL: 'C' } },
  { umask: '077', environment: { TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8', LC_ALL: 'C.UTF-8' } },
];
