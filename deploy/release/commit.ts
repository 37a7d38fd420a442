/** The commit that a release is made of: it gives the time that packages carry, and it must be all that there is. */
import { spawnSync } from 'node:child_process';
import { DeployError } from '../errors.ts';

export interface Commit {
  /** Whole hash, 40 hexadecimal digits. */
  readonly hash: string;
  readonly date: Date;
  /** Paths that differ from it, ignored ones left out. */
  readonly changed: readonly string[];
}

function git(folder: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync('git', ['-C', folder, ...args], { encoding: 'utf8' });
  if (status === 0) return stdout.trimEnd();
  throw new DeployError('RELEASE_COMMIT', 'git does not say which commit this is', {
    found: stderr.trim(),
    cause: error,
  });
}

/** @throws DeployError RELEASE_COMMIT */
export function commitOf(folder: string): Commit {
  const [hash = '', seconds = ''] = git(folder, 'log', '-1', '--format=%H %ct').split(' ');
  const changed = git(folder, 'status', '--porcelain=v1', '--untracked-files=all')
    .split('\n')
    .filter((line) => line !== '');
  return { hash, date: new Date(Number(seconds) * 1000), changed: changed.map((line) => line.slice(3)) };
}
