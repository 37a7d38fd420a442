/** Python with the pinned packages of an example, in build/examples of this checkout; nothing is installed anywhere else. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { progress } from '../../cli/output.ts';
import { Unavailable } from './example.ts';

const BUILD = fileURLToPath(new URL('../../build/examples/', import.meta.url));
const NAMES = ['python3', 'python3.13', 'python3.12', 'python3.11'];
/** The pinned packages have wheels for these. */
const ASK = 'import sys; print(sys.executable if (3, 11) <= sys.version_info < (3, 14) else "")';
const MADE = '.made';

const run = promisify(execFile);

async function findPython(signal: AbortSignal): Promise<string> {
  for (const name of NAMES) {
    const { stdout } = await run(name, ['-c', ASK], { signal }).catch(() => ({ stdout: '' }));
    if (stdout.trim() !== '') return stdout.trim();
  }
  throw new Unavailable('there is no Python 3.11 to 3.13');
}

async function install(python: string, requirements: string, folder: string, signal: AbortSignal): Promise<void> {
  progress(`installing the packages of ${requirements} into ${folder} …`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const words = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--root-user-action=ignore'];
  const only = ['--no-deps', '--only-binary', ':all:', '--target', folder, '--requirement', requirements];
  try {
    await run(python, [...words, ...only], { signal });
  } catch (cause) {
    throw new Unavailable(`the packages of ${basename(requirements)} could not be installed`, { cause });
  }
}

export interface Python {
  readonly program: string;
  /** For PYTHONPATH. */
  readonly packages: string;
}

/** @throws Unavailable */
export async function pythonWith(requirements: string, signal: AbortSignal): Promise<Python> {
  const program = await findPython(signal);
  const packages = join(BUILD, basename(dirname(requirements)), 'python');
  const key = createHash('sha256')
    .update(`${program}\n${readFileSync(requirements, 'utf8')}`)
    .digest('hex');
  const made = join(packages, MADE);
  if (!existsSync(made) || readFileSync(made, 'utf8') !== key) {
    await install(program, requirements, packages, signal);
    writeFileSync(made, key);
  }
  return { program, packages };
}
