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

/** As npm has it with the machine's Node: where that lies is where npm looks for the settings of the machine. */
const setting = (name: string): string =>
  execFileSync('npm', ['config', 'get', name], { encoding: 'utf8', env: { ...process.env, PATH } }).trim();
const authorities = setting('cafile');

/** Which registry it is and whose certificates it has is the machine's affair; all else of its npm configuration stays outside. */
export const ORDINARY: Readonly<Record<string, string>> = {
  PATH,
  npm_config_registry: setting('registry'),
  npm_config_update_notifier: 'false',
  ...(authorities === 'null' ? {} : { npm_config_cafile: authorities, NODE_EXTRA_CA_CERTS: authorities }),
};

/** @param root where home and folder are made */
export function npmUser(root: string, environment: Readonly<Record<string, string>> = {}): NpmUser {
  const [home, folder] = [join(root, 'home'), join(root, 'project')];
  for (const each of [home, folder]) mkdirSync(each, { recursive: true });
  const env = { ...ORDINARY, HOME: home, ...environment };
  return {
    folder,
    run: (program, ...args) => {
      const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, env, encoding: 'utf8' });
      return { code: status, output: `${stdout}${stderr}` };
    },
  };
}
