/** `make release` as its maker calls it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Ended } from '../../deploy/make-install.ts';
import { ORDINARY } from './npm-user.ts';

export interface Making {
  readonly clone: string;
  /** Made here; what npm loads is kept for the next one beside it. */
  readonly home: string;
  readonly umask?: string | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

/** @param words of a shell, after `make release` */
export function makeRelease({ clone, home, umask = '022', environment = {} }: Making, words: string): Ended {
  mkdirSync(home, { recursive: true });
  const { status, stdout, stderr } = spawnSync('sh', ['-c', `umask ${umask}; exec make release ${words}`], {
    cwd: clone,
    env: { ...ORDINARY, HOME: home, npm_config_cache: join(home, '../npm-cache'), ...environment },
    encoding: 'utf8',
  });
  return { code: status, output: `${stdout}${stderr}` };
}
