/** Somebody with an empty home, an empty folder and the Node and npm of the machine: nothing of the checkout is in reach. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Ended, PROJECT } from '../../deploy/make-install.ts';

export interface NpmUser {
  readonly folder: string;
  run(program: string, ...args: readonly string[]): Ended;
}

const PATH = (process.env['SYSTEM_PATH'] ?? process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => !folder.startsWith(PROJECT.replace(/\/$/, '')))
  .join(delimiter);

/** Which registry it is, is the machine's affair; all else of its npm configuration stays outside. */
const registry = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();

/** @param root where home and folder are made */
export function npmUser(root: string, environment: Readonly<Record<string, string>> = {}): NpmUser {
  const [home, folder] = [join(root, 'home'), join(root, 'project')];
  for (const each of [home, folder]) mkdirSync(each, { recursive: true });
  const env = { PATH, HOME: home, npm_config_registry: registry, ...environment };
  return {
    folder,
    run: (program, ...args) => {
      const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, env, encoding: 'utf8' });
      return { code: status, output: `${stdout}${stderr}` };
    },
  };
}
