/**
 * The verifier as a package of its own, in JavaScript with declarations, because Node strips no types inside node_modules. It holds the
 * files that `exports` of package.json leads to and what they import, and depends on nothing else than they do: who verifies need not
 * install what runs enclaves.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };
import { DeployError } from '../errors.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
/** Where package.json expects it, so that the checkout itself can be imported by name. */
export const BUILT = './build/library/';
/** `from 'zod'`, `from 'cbor-x/decode'`, `from '@scope/name'`; neither files nor Node's own. */
const PACKAGE = /^(?:import|export|\}) .*from '(?!\.|node:)((?:@[\w.-]+\/)?[\w.-]+)[^']*';$/gm;

function compile(folder: string): void {
  const compiler = join(PROJECT, 'node_modules/typescript/bin/tsc');
  const args = [compiler, '--project', 'tsconfig.library.json', '--outDir', folder];
  const { status, stdout, stderr, error } = spawnSync(process.execPath, args, { cwd: PROJECT, encoding: 'utf8' });
  if (status === 0) return;
  throw new DeployError('LIBRARY_COMPILE', 'the library does not compile', {
    found: stdout || stderr || 'nothing',
    cause: error,
  });
}

/** The packages that the files import, in the versions that this project is pinned to. */
function dependenciesOf(folder: string): Readonly<Record<string, string>> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
  const names = files.flatMap((name) => {
    const code = readFileSync(join(folder, name), 'utf8');
    return [...code.matchAll(PACKAGE)].map(([, imported = '']) => imported);
  });
  const versions = new Map(Object.entries(packageJson.dependencies));
  return Object.fromEntries(
    [...new Set(names)].sort().map((name) => {
      const version = versions.get(name);
      if (version !== undefined) return [name, version];
      throw new DeployError('LIBRARY_COMPILE', 'the library imports a package that is no dependency', { found: name });
    }),
  );
}

function manifestOf(folder: string): object {
  const { name, version, license, engines, exports } = packageJson;
  const own: unknown = JSON.parse(JSON.stringify(exports).replaceAll(BUILT, './'));
  const description = 'Verifies attestation documents of AWS Nitro Enclaves that run acra-enclave.';
  const dependencies = dependenciesOf(folder);
  return { name, version, description, license, private: true, type: 'module', engines, exports: own, dependencies };
}

/**
 * @param folder only the one in build/ is emptied before
 * @throws DeployError LIBRARY_COMPILE
 */
export function buildLibrary(folder: string): void {
  if (folder === resolve(PROJECT, BUILT)) rmSync(folder, { recursive: true, force: true });
  compile(folder);
  copyFileSync(join(PROJECT, 'LICENSE'), join(folder, 'LICENSE'));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifestOf(folder), null, 2)}\n`);
}
