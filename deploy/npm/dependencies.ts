/**
 * What the npm package needs: packages of JavaScript come along in the archive, in the bytes that package-lock.json names; those with
 * programs for one processor are asked for by their exact version. (npm 12 no longer reads a published lock file.)
 *
 * Specification: docs.npmjs.com, package.json, `optionalDependencies`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { byCodeUnits } from '../../runtime/code-units.ts';
import { DeployError } from '../errors.ts';
import { packageFolders } from '../install/packages.ts';

type Versions = Readonly<Record<string, string>>;

export interface Dependencies {
  /** Folders of those that come along, relative to the project, sorted. */
  readonly folders: readonly string[];
  /** For the processors that we support; npm installs those of the machine. */
  readonly platform: Versions;
}

const PROCESSORS = ['x64', 'arm64'];
const OF_A_PLATFORM = /^node_modules\/((?:@[^/]+\/[^/]*|node-)linux-)(?:x64|arm64)$/;

const byKey = (values: readonly (readonly [string, string])[]): Versions =>
  Object.fromEntries(values.toSorted(([a], [b]) => byCodeUnits(a, b)));

/**
 * @param names of packages that our code imports
 * @throws DeployError PACKAGE_DEPENDENCY, INSTALL_PACKAGE_MISSING
 */
export function dependenciesOf(projectFolder: string, names: readonly string[]): Dependencies {
  const lock: { readonly packages: Readonly<Record<string, { readonly version: string }>> } = JSON.parse(
    readFileSync(join(projectFolder, 'package-lock.json'), 'utf8'),
  );
  const versionOf = (folder: string): string => {
    const version = lock.packages[folder]?.version;
    if (version !== undefined) return version;
    throw new DeployError('PACKAGE_DEPENDENCY', 'a package that ours needs is not locked', { found: folder });
  };
  const declared: Readonly<Record<string, string>> = { ...packageJson.devDependencies, ...packageJson.dependencies };
  const undeclared = names.filter((name) => !Object.hasOwn(declared, name));
  if (undeclared.length > 0)
    throw new DeployError('PACKAGE_DEPENDENCY', 'a package is imported that package.json does not name', {
      found: undeclared.join(', '),
    });
  const folders = packageFolders(projectFolder, [...names, `node-linux-${process.arch}`]);
  const platform = folders.flatMap((folder) => {
    const [, stem] = OF_A_PLATFORM.exec(folder) ?? [];
    return stem === undefined ? [] : PROCESSORS.map((processor) => `${stem}${processor}`);
  });
  return {
    folders: folders.filter((folder) => !OF_A_PLATFORM.test(folder)),
    platform: byKey(platform.map((name) => [name, versionOf(`node_modules/${name}`)])),
  };
}
