/** The commit that is checked out, cloned into a folder of the test's own, and what is installed beside it. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../../deploy/make-install.ts';

/** As it comes from git, with nothing installed. @param folder made here */
export function cloneCommit(folder: string, source = PROJECT): void {
  execFileSync('git', ['clone', '--quiet', source, folder]);
}

/** The installed packages are shared. @param folder made here */
export function cloneProject(folder: string): void {
  cloneCommit(folder);
  // A link is no folder, as .gitignore has it.
  appendFileSync(join(folder, '.git/info/exclude'), 'node_modules\n');
  symlinkSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
}

/** Installed packages as the project has them, but for one of which a byte was changed after npm had compared its digest. */
export function addPoisonedPackages(folder: string, poison: string): void {
  const [theirs, ours] = [join(PROJECT, 'node_modules'), join(folder, 'node_modules')];
  mkdirSync(ours);
  for (const name of readdirSync(theirs)) symlinkSync(join(theirs, name), join(ours, name));
  rmSync(join(ours, 'pino'));
  cpSync(join(theirs, 'pino'), join(ours, 'pino'), { recursive: true });
  appendFileSync(join(ours, 'pino/pino.js'), poison);
}

/** Two ways in which machines and people differ, and bytes must not. */
export const SURROUNDINGS: readonly {
  readonly umask: string;
  readonly environment: Readonly<Record<string, string>>;
}[] = [
  { umask: '022', environment: { TZ: 'UTC', LANG: 'C', LC_ALL: 'C' } },
  { umask: '077', environment: { TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8', LC_ALL: 'C.UTF-8' } },
];
